"""Import the target and build the model."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.util import find_spec

import torch

from ..channel import clip
from ..execution import Model
from ..protocol import Kind, ModelLoaded, Observation, Stage
from ..state import RunState
from ..target import LoadError, load, packages_of


def run(state: RunState) -> bool:
    """Leave `loaded`."""
    job, cwd = state.job, os.getcwd()
    try:
        with state.stage(Stage.LOAD):
            if job.profile and find_spec("pyinstrument") is None:
                raise LoadError("--profile: torch profiles with pyinstrument: pip install pyinstrument beside it")
            state.loaded = loaded = load(job.target, cwd, job.register)
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


def usage(state: RunState, error: LoadError) -> None:
    """Note that what was asked for is not there."""
    state.record(Observation(Kind.USAGE, clip(error)), failure=True)
    state.result = replace(state.result, usage=clip(error))
    state.send()


def _set_mode(model: Model, mode: str) -> None:
    if isinstance(model, torch.nn.Module) and mode != "preserve":
        model.train(mode == "train")
