import pytest

from backend.runtime import threads
from backend.store.store import Store


@pytest.fixture
async def store(tmp_path):
    store = Store(tmp_path / "data")
    await store.open()
    yield store
    await store.close()
    threads.shut_down()
