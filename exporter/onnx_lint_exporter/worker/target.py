"""Find and build what is to be exported: ``path/file.py:Name`` or ``pkg.module:Name``."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType

import torch

from .execution import Model
from .frames import of_trace_text
from .protocol import Frame, Target


class LoadError(Exception):
    """The target cannot be found or built; the message says why and what to do."""


@dataclass
class Loaded:
    """The model, where it comes from, and what its module registers for the engines."""

    model: Model
    module: ModuleType
    definition: Frame | None
    """Where ``forward`` (or the class, or the factory) is defined: the last resort for a place."""
    root: str
    """The folder of the package or file, all below which counts as the user's code."""
    translations: dict[object, Callable[..., object]] = field(default_factory=dict)
    opsets: dict[str, int] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)
    """Arguments of ``torch.onnx.export`` that the script gave, when a script is the target."""
    attribute: str = ""
    """The name in the module."""
    is_instance: bool = False
    """Whether the name is a model already, and not what builds one."""


def import_file(path: str) -> tuple[ModuleType, str]:
    """Import a file by its dotted name within its package, so that relative imports work; also the import root."""
    path = os.path.abspath(path)
    if not os.path.isfile(path):
        raise LoadError(f"{path}: no such file")
    folder, parts = os.path.dirname(path), [os.path.splitext(os.path.basename(path))[0]]
    while os.path.exists(os.path.join(folder, "__init__.py")):
        parts.insert(0, os.path.basename(folder))
        folder = os.path.dirname(folder)
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if len(parts) > 1 and all(part.isidentifier() for part in parts):
        module = importlib.import_module(".".join(parts))
        if module.__file__ is None or not os.path.samefile(module.__file__, path):
            raise LoadError(f"{path}: `{'.'.join(parts)}` is {module.__file__} instead; rename the file or its package")
        return module, os.path.join(folder, parts[0])
    return _import_alone(path, parts[-1]), path


def _import_alone(path: str, stem: str) -> ModuleType:
    """A file outside any package, under its own name unless an imported module has it."""
    name = stem if stem.isidentifier() and stem not in sys.modules else f"_onnx_lint_target_{abs(hash(path))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LoadError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def import_named(name: str, cwd: str) -> tuple[ModuleType, str]:
    """Import ``pkg.module``, with the current folder on the path."""
    if cwd not in sys.path:
        sys.path.insert(0, cwd)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # found, and what it imports is not
        raise LoadError(
            f"{name}: no module named {error.name!r}; name a file, or run where it can be imported"
        ) from error
    file = module.__file__ or ""
    for _ in range(name.count(".") + os.path.basename(file).startswith("__init__.")):
        file = os.path.dirname(file)
    return module, file


def import_target(target: Target, cwd: str) -> tuple[ModuleType, str]:
    """Import the file or the module that a target names; also the import root."""
    return import_file(target.file) if target.file else import_named(target.module or "", cwd)


def load(target: Target, cwd: str, register: Sequence[str]) -> Loaded:
    """Import the target's module and the files of registrations, find the attribute and build the model."""
    module, root = import_target(target, cwd)
    registrations = [module, *(import_file(path)[0] for path in register)]
    name = target.attribute or _only_model(module)
    found: object = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise LoadError(f"{target.text}: no `{name}` there; {_choices(module)}")
        found = getattr(found, part)
    model = _build(found, name)
    scripted = isinstance(model, (torch.jit.ScriptModule, torch.jit.ScriptFunction))
    loaded = Loaded(model, module, (_scripted_place(model) if scripted else None) or _definition(model, found), root)
    loaded.attribute, loaded.is_instance = name, found is model
    for source in registrations:
        loaded.translations.update(getattr(source, "custom_translation_table", None) or {})
        loaded.opsets.update(getattr(source, "custom_opsets", None) or {})
    return loaded


def packages_of(model: Model) -> set[str]:
    """The folders of the packages, or the files, other than torch, whose classes the modules of a model are of."""
    modules = model.modules() if isinstance(model, torch.nn.Module) else ()
    packages = {type(module).__module__.partition(".")[0] for module in modules} - {"torch"}
    files = (getattr(sys.modules.get(name), "__file__", None) for name in packages)
    return {os.path.dirname(file) if os.path.basename(file).startswith("__init__.") else file for file in files if file}


def _is_model(value: object) -> bool:
    return isinstance(value, (torch.nn.Module, torch.jit.ScriptFunction, torch.export.ExportedProgram))


def _candidates(module: ModuleType) -> list[str]:
    names = []
    for name, value in vars(module).items():
        own_class = inspect.isclass(value) and issubclass(value, torch.nn.Module)
        if (own_class and value.__module__ == module.__name__) or _is_model(value):
            names.append(name)
    return names


def _choices(module: ModuleType) -> str:
    names = _candidates(module)
    return f"write one of :{', :'.join(names)}" if names else "the file holds no torch.nn.Module"


def _only_model(module: ModuleType) -> str:
    names = _candidates(module)
    if len(names) == 1:
        return names[0]
    raise LoadError(
        f"{module.__file__}: which one? {_choices(module)}" if names else f"{module.__file__}: no torch.nn.Module in it"
    )


def _build(found: object, name: str) -> Model:
    if _is_model(found):
        return found
    if not callable(found):
        raise LoadError(f"`{name}` is a {type(found).__name__}, not a Module, a factory or an ExportedProgram")
    needed = _required(found)
    if needed:
        raise LoadError(
            f"`{name}` needs arguments ({', '.join(needed)}): name a function without arguments that builds it"
        )
    model = found()
    if not _is_model(model):
        raise LoadError(
            f"`{name}()` gives a {type(model).__name__}, not a Module, a ScriptFunction or an ExportedProgram"
        )
    return model


def _required(function: Callable[..., object]) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p.name for p in parameters if p.default is inspect.Parameter.empty and p.kind in plain]


def _scripted_place(model: Model) -> Frame | None:
    """The first line of scripted code, from the ranges that its graph keeps."""
    places = [frame for node in model.graph.nodes() for frame in of_trace_text(node.sourceRange())[:1]]
    if not places:
        return None
    file = places[0].file
    return Frame(file, min(place.line for place in places if place.file == file), inside=True)


def from_script(model: Model, path: str, options: dict[str, object]) -> Loaded:
    """A model that a script built."""
    return Loaded(model, sys.modules["__main__"], _definition(model, type(model)), path, options=options)


def _definition(model: Model, found: object) -> Frame | None:
    for candidate in (getattr(type(model), "forward", None), type(model), found):
        code = getattr(inspect.unwrap(candidate), "__code__", None) if callable(candidate) else None
        if code is not None and os.path.isabs(code.co_filename) and f"{os.sep}torch{os.sep}" not in code.co_filename:
            return Frame(code.co_filename, code.co_firstlineno)
    return None
