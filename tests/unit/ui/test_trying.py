from ui.presenters.trying import StepState, TryFlow


def test_the_steps_are_done_one_after_the_other() -> None:
    flow = TryFlow()
    for step in list(flow.steps):
        flow.begin(step.key)
        assert not flow.is_done
        flow.finish(step.key, "fine")
    assert flow.is_done
    assert flow.done_count == len(flow.steps)


def test_a_fault_marks_the_running_step_and_again_begins_anew() -> None:
    flow = TryFlow()
    flow.begin("start")
    flow.fail("port is taken")
    assert flow.steps[0].state is StepState.FAILED
    assert flow.fault == "port is taken"
    flow.restart()
    assert flow.fault == ""
    assert all(step.state is StepState.WAITING for step in flow.steps)
