"""Import the target and build the model."""

from __future__ import annotations

import copy
import os
from dataclasses import replace
from importlib.util import find_spec

import torch

from .. import observed, overlay, script, trees
from ..channel import clip
from ..engines import ENGINES
from ..engines.dynamo import Dynamo
from ..engines.torchscript import TorchScript
from ..execution import Model
from ..protocol import Kind, ModelLoaded, Observation, Stage
from ..state import RunState
from ..target import Loaded, LoadError, from_script, load, packages_of


def run(state: RunState) -> bool:
    """Leave `loaded`."""
    job, cwd = state.job, os.getcwd()
    if job.script is not None:
        return _observed(state) if job.observe else _script(state)
    try:
        with state.stage(Stage.LOAD):
            if job.profile and find_spec("pyinstrument") is None:
                raise LoadError("--profile: torch profiles with pyinstrument: pip install pyinstrument beside it")
            state.loaded = loaded = _load(state, cwd)
            trees.register_known()
            state.user.claim(loaded.root)
            for root in packages_of(loaded.model):
                state.user.prefer(root)
            state.result = replace(
                state.result,
                definition=loaded.definition,
                root=loaded.root,
                attribute=loaded.attribute,
                is_instance=loaded.is_instance,
            )
            state.channel.send(ModelLoaded(loaded.definition))
            _set_mode(loaded.model, job.training)
    except LoadError as error:
        usage(state, error)
        return False
    except BaseException as error:  # noqa: BLE001 - the user's module may raise anything
        state.fail(error, Kind.LOAD_ERROR)
        return False
    finally:
        os.chdir(cwd)
    return True


def _load(state: RunState, cwd: str) -> Loaded:
    """The model; when it is to be made of other texts, the original one too, with the same weights."""
    job = state.job
    torch.manual_seed(0)
    loaded = load(job.target, cwd, job.register)
    if not job.overlay and not job.scripted:
        return loaded
    state.original = loaded.model
    _set_mode(loaded.model, job.training)
    changed = _changed(state, loaded, cwd) if job.overlay else loaded
    if not job.scripted or not isinstance(changed.model, torch.nn.Module):
        return changed
    _set_mode(changed.model, job.training)
    return replace(changed, model=torch.jit.script(copy.deepcopy(changed.model)))


def _changed(state: RunState, loaded: Loaded, cwd: str) -> Loaded:
    """The model made of other texts, with the weights of the original one."""
    job = state.job
    assert job.overlay is not None
    state.user.claim(loaded.root)
    overlay.forget_modules(state.user, job.overlay)
    overlay.install(job.overlay)
    torch.manual_seed(0)
    changed = load(job.target, cwd, job.register)
    if isinstance(loaded.model, torch.nn.Module) and isinstance(changed.model, torch.nn.Module):
        changed.model.load_state_dict(loaded.model.state_dict())
    return changed


def _script(state: RunState) -> bool:
    """The model of a script's call, with the call's engine and options."""
    job, path = state.job, state.job.target.file or ""
    try:
        with state.stage(Stage.SCRIPT):
            calls = script.run(path, job.script or (), job.call, state.user)
            trees.register_known()
    except script.ScriptError as error:
        usage(state, LoadError(str(error)))
        return False
    except BaseException as error:  # noqa: BLE001 - the user's script may raise anything
        state.fail(error, Kind.LOAD_ERROR)
        return False
    state.call = call = calls.call
    assert call is not None  # else it would have been an error
    own = TorchScript.name if not call.dynamo else Dynamo.name
    name = job.engine or own
    state.engine = ENGINES[name]()
    state.job = script.as_job(job, call, name)
    passed_on = call.options if name == own else {}
    with state.stage(Stage.LOAD):
        state.loaded = loaded = from_script(call.model, path, passed_on)
        for root in packages_of(loaded.model):
            state.user.prefer(root)
        if name == TorchScript.name and "training" not in passed_on:
            _set_mode(loaded.model, "eval")  # as that engine does by itself
        state.result = replace(
            state.result,
            engine=name,
            asked_opset=state.job.opset_version,
            definition=loaded.definition,
            root=loaded.root,
            calls=calls.count,
            called_at=call.place,
        )
        state.channel.send(ModelLoaded(loaded.definition))
    return True


def _observed(state: RunState) -> bool:
    """One of the models that a script calls, with inputs from these calls."""
    job, path = state.job, state.job.target.file or ""
    try:
        with state.stage(Stage.SCRIPT):
            models = observed.run(path, job.script or (), state.user)
    except script.ScriptError as error:
        usage(state, LoadError(str(error)))
        return False
    except BaseException as error:  # noqa: BLE001 - the user's script may raise anything
        state.fail(error, Kind.LOAD_ERROR)
        return False
    state.observed = seen = models[min(job.call, len(models) - 1)]
    with state.stage(Stage.LOAD):
        state.loaded = loaded = from_script(seen.model, path, {})
        for root in packages_of(loaded.model):
            state.user.prefer(root)
        _set_mode(loaded.model, job.training)
        state.result = replace(
            state.result, definition=loaded.definition, root=loaded.root, calls=len(models), called_at=seen.place
        )
        state.channel.send(ModelLoaded(loaded.definition))
    return True


def usage(state: RunState, error: LoadError) -> None:
    """Note that what was asked for is not there."""
    state.record(Observation(Kind.USAGE, clip(error)), failure=True)
    state.result = replace(state.result, usage=clip(error))
    state.send()


def _set_mode(model: Model, mode: str) -> None:
    if isinstance(model, torch.nn.Module) and mode != "preserve":
        model.train(mode == "train")
