import json
from dataclasses import replace

import pytest

from backend.config.secrets import SecretStore
from backend.core.clock import FakeClock
from backend.core.errors import ConfigError, ConflictError, NotFoundError, UserError
from backend.dns.resolver import DnsResolver
from backend.mailauth.keys import KeyStore
from backend.mailauth.rotation import RETIRE_S, WAIT_S
from backend.mailauth.selectors import DkimKeys, new_domain_settings
from tests.support.dns_server import DnsServer
from tests.support.settings import new_folder, open_store

DOMAIN = "example.org"


class Rig:
    def __init__(self, folder, config, clock, dns=None):
        self.folder, self.config, self.clock, self.dns = folder, config, clock, dns
        secrets = SecretStore(folder.secrets)
        secrets.open()
        self.keys = KeyStore(secrets, clock)
        resolver = None if dns is None else DnsResolver([dns.endpoint], clock=clock)
        self.dkim = DkimKeys(config, self.keys, resolver=resolver, clock=clock)
        config.prepare_with(self.dkim.prepare)

    @property
    def settings(self):
        return self.config.current.domains.domains[DOMAIN].dkim

    async def state(self, **look):
        return await self.dkim.describe(DOMAIN, **look)

    async def publish(self):
        for each in (await self.state()).selectors:
            text = " ".join(f'"{string}"' for string in each.strings)
            self.dns.add(each.record_name, {"TXT": [text]})

    def files(self):
        return sorted(path.stem for path in self.folder.secrets.rglob("dkim/**/*.json"))

    async def rotate(self, **how):
        await self.dkim.rotate(DOMAIN, author="test", **how)


@pytest.fixture
async def rig(tmp_path):
    folder, clock = new_folder(tmp_path / "data"), FakeClock()
    yield Rig(folder, await open_store(folder, clock=clock), clock)


@pytest.fixture
async def online(tmp_path):
    folder, clock = new_folder(tmp_path / "data"), FakeClock()
    async with DnsServer({}) as dns:
        yield Rig(folder, await open_store(folder, clock=clock), clock, dns)


async def test_a_key_is_made_for_a_new_selector(rig):
    assert await rig.dkim.add(DOMAIN, author="test") == "2023a"
    assert await rig.dkim.add(DOMAIN, algorithm="ed25519", sign=True, author="test") == "2023b"
    state = await rig.state()
    assert [(s.name, s.algorithm, s.signs, s.made_at) for s in state.selectors] == [
        ("2023a", "rsa2048", False, 1_700_000_000),
        ("2023b", "ed25519", True, 1_700_000_000),
    ]
    assert state.sign == ("2023b",)
    assert state.selectors[1].record.startswith("v=DKIM1; k=ed25519; p=")
    assert rig.files() == ["2023a", "2023b"]
    text = rig.folder.domains_toml.read_text()
    assert 'sign = ["2023b"]' in text
    assert "PRIVATE" not in text


async def test_what_can_not_be_added_is_said(rig):
    await rig.dkim.add(DOMAIN, name="mine", author="test")
    with pytest.raises(ConflictError, match="a selector “mine” already"):
        await rig.dkim.add(DOMAIN, name="mine", author="test")
    with pytest.raises(UserError, match="can't be a selector"):
        await rig.dkim.add(DOMAIN, name="My Key", author="test")
    for domain in ("other.test", "not a domain"):
        with pytest.raises(NotFoundError):
            await rig.dkim.add(domain, author="test")
    assert rig.files() == ["mine"]


async def test_the_file_stays_loadable_whatever_is_added(rig):
    for number in range(8):
        await rig.dkim.add(DOMAIN, name=f"k{number}", algorithm="ed25519", sign=True, author="t")
    with pytest.raises(ConfigError):
        await rig.dkim.add(DOMAIN, name="k8", algorithm="ed25519", sign=True, author="t")
    assert rig.files() == [f"k{number}" for number in range(8)]
    await open_store(rig.folder)


async def test_a_selector_that_signs_is_removed_only_by_its_own_word(rig):
    await rig.dkim.add(DOMAIN, sign=True, author="test")
    with pytest.raises(ConflictError, match="signed with “2023a”"):
        await rig.dkim.remove(DOMAIN, "2023a", author="test")
    await rig.dkim.remove(DOMAIN, "2023a", even_if_signing=True, author="test")
    assert (await rig.state()).selectors == ()
    assert rig.settings.sign == []
    assert rig.files() == []
    with pytest.raises(NotFoundError):
        await rig.dkim.remove(DOMAIN, "2023a", author="test")


async def test_one_may_choose_what_signs(rig):
    await rig.dkim.add(DOMAIN, author="test")
    await rig.dkim.set_signing(DOMAIN, ["2023a"], author="test")
    assert rig.settings.sign == ["2023a"]
    with pytest.raises(ConfigError, match="no selector “2023z”"):
        await rig.dkim.set_signing(DOMAIN, ["2023z"], author="test")
    await rig.dkim.set_signing(DOMAIN, [], author="test")
    assert rig.settings.sign == []


async def test_an_edit_of_the_file_makes_the_key_it_names(rig):
    with rig.folder.domains_toml.open("a") as file:
        file.write(f'\n[domains."{DOMAIN}".dkim]\nsign = ["hand"]\n')
        file.write(f'[domains."{DOMAIN}".dkim.selectors.hand]\nalgorithm = "ed25519"\n')
    await rig.config.reload_from_disk()
    assert rig.config.faults == ()
    assert rig.files() == ["hand"]
    assert (await rig.state()).selectors[0].record


async def test_a_change_that_is_undone_leaves_no_key(rig):
    async def refuse(_, __):
        raise ConfigError([])

    rig.config.prepare_with(refuse)
    with pytest.raises(ConfigError):
        await rig.dkim.add(DOMAIN, author="test")
    assert rig.files() == []


async def test_a_lost_key_is_told_in_the_list_and_made_at_the_start(rig, expect_log):
    expect_log("DKIM key is missing")
    await rig.dkim.add(DOMAIN, author="test")
    rig.keys.remove(DOMAIN, "2023a")
    (lost,) = (await rig.state()).selectors
    assert (lost.record, lost.strings, lost.made_at) == ("", (), None)
    await rig.dkim.make_missing(rig.config.current)
    assert (await rig.state()).selectors[0].record


async def test_records_are_looked_up_on_demand(online):
    await online.dkim.add(DOMAIN, author="test")
    await online.dkim.add(DOMAIN, author="test")
    assert [s.in_dns for s in (await online.state()).selectors] == [None, None]
    assert [s.in_dns for s in (await online.state(look_up=True)).selectors] == [False, False]
    await online.publish()
    assert [s.in_dns for s in (await online.state(look_up=True)).selectors] == [True, True]
    online.dns.add(f"2023a._domainkey.{DOMAIN}", {"TXT": ['"v=DKIM1; k=rsa; p=AAAA"']})
    assert [s.in_dns for s in (await online.state(look_up=True)).selectors] == [False, True]
    online.dns.broken.add(f"2023b._domainkey.{DOMAIN}")
    assert [s.in_dns for s in (await online.state(look_up=True)).selectors] == [False, None]


async def test_keys_change_by_themselves_once_the_record_is_published(online):
    rig = online
    await rig.dkim.add(DOMAIN, sign=True, author="test")
    await rig.rotate()
    assert rig.settings.rotation.phase == "publish"
    assert rig.settings.rotation.new == ["2023b"]
    assert rig.settings.sign == ["2023a"]
    rig.clock.advance(3 * 86_400)
    await rig.dkim.go_on()
    assert rig.settings.rotation.phase == "publish"
    await rig.publish()
    rig.clock.advance(86_400)  # beyond what the resolver remembers
    await rig.dkim.go_on()
    assert rig.settings.rotation.phase == "wait"
    assert (await rig.state()).rotation.due_at == rig.clock.time() + WAIT_S
    rig.clock.advance(WAIT_S - 1)
    await rig.dkim.go_on()
    assert rig.settings.sign == ["2023a"]
    rig.clock.advance(1)
    await rig.dkim.go_on()
    assert rig.settings.sign == ["2023b"]
    assert rig.settings.rotation.phase == "retire"
    rig.clock.advance(RETIRE_S)
    await rig.dkim.go_on()
    assert rig.settings.rotation is None
    assert list(rig.settings.selectors) == ["2023b"]
    assert rig.files() == ["2023b"]
    authors = {revision.author for revision in await rig.config.revisions()}
    assert authors == {"file", "test", "rotation"}
    # After all that the file is one that a server starts with.
    await open_store(rig.folder)


async def test_a_key_in_reserve_is_used_before_one_is_made(online):
    rig = online
    await rig.dkim.add(DOMAIN, sign=True, author="test")
    await rig.dkim.add(DOMAIN, author="test")
    await rig.dkim.add(DOMAIN, name="ed", algorithm="ed25519", sign=True, author="test")
    await rig.publish()
    await rig.rotate()
    assert rig.settings.rotation.new == ["2023b", "2023c"]
    assert rig.settings.selectors["2023c"].algorithm == "ed25519"
    assert rig.settings.rotation.phase == "publish"  # of 2023c nothing is published yet


async def test_a_stolen_key_is_changed_at_once(rig):
    await rig.dkim.add(DOMAIN, sign=True, author="test")
    await rig.rotate(hurry=True)
    assert rig.settings.sign == ["2023b"]
    assert rig.settings.rotation.phase == "retire"
    await rig.rotate(hurry=True)
    assert rig.settings.rotation is None
    assert rig.files() == ["2023b"]


async def test_without_dns_nothing_is_asked_and_it_waits(rig):
    await rig.rotate()
    await rig.rotate()
    assert rig.settings.rotation.phase == "publish"
    assert rig.settings.rotation.new == ["2023a"]
    assert rig.settings.sign == []


async def test_removing_the_new_selector_calls_the_change_off(rig):
    await rig.dkim.add(DOMAIN, sign=True, author="test")
    await rig.rotate()
    await rig.dkim.remove(DOMAIN, "2023b", author="test")
    assert rig.settings.rotation is None
    assert rig.settings.sign == ["2023a"]


async def test_removing_the_old_selector_ends_the_change(rig):
    await rig.dkim.add(DOMAIN, sign=True, author="test")
    await rig.rotate(hurry=True)
    await rig.dkim.remove(DOMAIN, "2023a", author="test")
    assert rig.settings.rotation is None
    assert rig.settings.sign == ["2023b"]


async def test_choosing_what_signs_ends_the_change(rig):
    await rig.dkim.add(DOMAIN, sign=True, author="test")
    await rig.rotate()
    await rig.dkim.set_signing(DOMAIN, ["2023a"], author="test")
    assert rig.settings.rotation is None


def test_a_new_domain_gets_two_keys_and_signs_with_the_first():
    assert json.dumps(new_domain_settings(2026)["dkim"]["sign"]) == '["2026a"]'
    assert list(new_domain_settings(2026)["dkim"]["selectors"]) == ["2026a", "2026b"]


async def test_a_revert_finds_the_keys_of_a_removed_domain_again(rig):
    await rig.dkim.add(DOMAIN, sign=True, author="test")
    (record,) = [each.record for each in (await rig.state()).selectors]
    with_domain = rig.config.current.revision

    def without(config):
        return replace(config, domains=config.domains.model_copy(update={"domains": {}}))

    await rig.config.edit(without, author="test")
    assert rig.keys.cached(DOMAIN, "2023a") is None
    assert not rig.keys.has(DOMAIN, "2023a")
    await rig.config.restore(with_domain, author="test")
    assert [each.record for each in (await rig.state()).selectors] == [record]


async def test_a_removal_that_fails_leaves_the_keys_where_they_are(rig):
    await rig.dkim.add(DOMAIN, sign=True, author="test")

    async def refuse(old, new):
        raise ConfigError([])

    rig.config.prepare_with(refuse)
    with pytest.raises(ConfigError):
        await rig.config.edit(
            lambda config: replace(
                config, domains=config.domains.model_copy(update={"domains": {}})
            ),
            author="test",
        )
    assert rig.keys.has(DOMAIN, "2023a")


async def test_a_key_that_somebody_removed_does_not_come_back(rig):
    await rig.dkim.add(DOMAIN, author="test")
    with_key = rig.config.current.revision
    (old,) = [each.record for each in (await rig.state()).selectors]
    await rig.dkim.remove(DOMAIN, "2023a", author="test")
    await rig.config.restore(with_key, author="test")
    (new,) = [each.record for each in (await rig.state()).selectors]
    assert new != old


async def test_keys_of_a_domain_that_went_while_the_server_was_stopped_are_set_aside(rig):
    await rig.dkim.add(DOMAIN, author="test")
    config = rig.config.current
    gone = replace(config, domains=config.domains.model_copy(update={"domains": {}}))
    rig.keys.make("x" * 60 + "." + "y" * 60 + "." + "z" * 60, "2023a", "ed25519")
    await rig.dkim.make_missing(gone)
    (file,) = rig.folder.secrets.glob(f"removed/dkim/{DOMAIN}/*.json")
    await rig.dkim.make_missing(config)
    assert not file.exists()
    assert rig.keys.has(DOMAIN, "2023a")
    assert len(list(rig.folder.secrets.glob("removed/dkim/*"))) == 1
