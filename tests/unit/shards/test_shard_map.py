"""Who lives where: stable, even, and the same in any language."""

from collections import Counter

import psycopg
import pytest

from backend.shards.limits import BUCKETS, SHARDS_MAX
from backend.shards.model import Place, ShardMap, bucket_of
from protocol.errors import CallerError
from tests.support.postgres import Cluster


def test_an_owner_s_bucket_never_changes() -> None:
    # sha256 of the name, first two bytes, modulo 4096: computed once with sha256sum.
    known = {"usr_7": 1838, "mch_1": 3953, "mch_1#3": 758, "店": 2782}
    assert {owner: bucket_of(owner) for owner in known} == known


@pytest.mark.postgres
def test_postgresql_finds_the_same_bucket(postgres_cluster: Cluster) -> None:
    named = (
        "WITH one AS (SELECT sha256(convert_to(%s, 'UTF8')) AS hash)"
        " SELECT (get_byte(hash, 0) * 256 + get_byte(hash, 1)) %% 4096 FROM one"
    )
    with psycopg.connect(postgres_cluster.dsn("postgres")) as connection:
        for owner in ("usr_7", "mch_1#3", "店"):
            row = connection.execute(named, (owner,)).fetchone()
            assert row == (bucket_of(owner),)


@pytest.mark.parametrize("count", [2, 3, 4, 64])
def test_owners_spread_evenly(count: int) -> None:
    founded = ShardMap.founded("test", count)
    homes = Counter(founded.shard_of(f"usr_{number}") for number in range(count * 1_000))
    assert set(homes) == set(range(count))
    assert 850 < min(homes.values()) <= max(homes.values()) < 1_150


def test_a_hot_merchant_s_sub_accounts_lie_on_many_shards() -> None:
    founded = ShardMap.founded("test", 8)
    assert len({founded.shard_of(f"mch_1#{number}") for number in range(32)}) == 8


def test_payers_and_merchants_accounts_have_a_home_and_all_others_are_everywhere() -> None:
    founded = ShardMap.founded("test", 4)
    for owner, code in (("usr_7", "CUST"), ("mch_1#3", "MPEND"), ("mch_1", "MAVAIL")):
        assert founded.shard_of_account(f"C:{code}:{owner}:CNY") == founded.shard_of(owner)
    for everywhere in ("C:UNSWEPT:CNY", "O:MDR:CNY", "C:CH:NUCC.2026-09-30:CNY", "C:XSHARD:2:CNY"):
        assert founded.shard_of_account(everywhere) is None
    for put_aside in ("DISPUTE:dsp_1", "ESCROW:ofv_1", "SHARE:pay_1", "STOCK:stk_1"):
        assert founded.shard_of_account(f"C:{put_aside}:CNY") is None


def test_a_single_shard_has_everybody_and_no_peer() -> None:
    founded = ShardMap.founded("test", 1)
    assert {founded.shard_of(f"usr_{number}") for number in range(100)} == {0}
    assert Place(founded, 0).peers == ()


@pytest.mark.parametrize("count", [0, SHARDS_MAX + 1])
def test_there_are_at_least_one_and_not_too_many_shards(count: int) -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        ShardMap.founded("test", count)


def test_the_map_names_a_shard_for_every_bucket() -> None:
    assert len(ShardMap.founded("test", 3).places) == BUCKETS
