"""The steps of “Try it on this computer first”, from nothing to the first message in the mailbox."""

from dataclasses import dataclass, replace
from enum import Enum


class StepState(Enum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TryStep:
    key: str
    title: str
    result: str = ""
    state: StepState = StepState.WAITING


STEPS: tuple[TryStep, ...] = (
    TryStep(key="start", title="Start a mail server on this computer"),
    TryStep(key="answer", title="Wait until all its ports answer"),
    TryStep(key="account", title="Make an account to practise with"),
    TryStep(key="message", title="Send it a first message and see it arrive"),
)

TONES = {
    StepState.WAITING: ("neutral", "circle-dashed"),
    StepState.RUNNING: ("info", "player-play"),
    StepState.DONE: ("ok", "check"),
    StepState.FAILED: ("error", "x"),
}


class TryFlow:
    """The list as it stands. A step that fails stops the flow; starting again begins anew."""

    def __init__(self) -> None:
        self.steps = STEPS
        self.fault = ""

    def begin(self, key: str) -> None:
        self._set(key, StepState.RUNNING, "")

    def finish(self, key: str, result: str = "") -> None:
        self._set(key, StepState.DONE, result)

    def fail(self, fault: str) -> None:
        self.fault = fault
        for step in self.steps:
            if step.state is StepState.RUNNING:
                self._set(step.key, StepState.FAILED, "")

    def restart(self) -> None:
        self.steps = STEPS
        self.fault = ""

    @property
    def is_done(self) -> bool:
        return all(step.state is StepState.DONE for step in self.steps)

    @property
    def done_count(self) -> int:
        return sum(step.state is StepState.DONE for step in self.steps)

    def _set(self, key: str, state: StepState, result: str) -> None:
        self.steps = tuple(
            replace(step, state=state, result=result) if step.key == key else step
            for step in self.steps
        )
