"""The cast is as large as it says, and formally right."""

from stdnum.cn import uscc

from tallystick.demo import cast


def test_seventeen_cities_ten_clusters() -> None:
    """And nobody twice."""
    assert len({city.treasury for city in cast.CITIES}) == 17
    assert len({cluster.party for cluster in cast.CLUSTERS}) == 10
    assert len(set(cast.STARTUPS)) == len(cast.STARTUPS) == 30


def test_no_id_belongs_to_two() -> None:
    """A city's treasury and the cluster of the same name are told apart."""
    parties = [cast.NETWORK, cast.AUDITOR, *cast.CLUSTER_OF, *cast.STARTUPS]
    parties += [city.treasury for city in cast.CITIES]
    assert len(set(parties)) == len(parties)


def test_social_credit_codes_are_valid_and_differ() -> None:
    """By the standard's own check character."""
    codes = [cast.social_credit_code(party) for party in (*cast.CLUSTER_OF, *cast.STARTUPS)]
    assert all(uscc.is_valid(code) for code in codes)
    assert len(set(codes)) == len(codes)


def test_known_figures_are_as_published() -> None:
    """Envelope, shares and cap of the programmes that publish all of them, in CNY and per cent."""
    terms = {city.programme(one): one for city in cast.CITIES for one in city.programmes}
    known = {
        "shenzhen-treasury/training": (500_000_000, 50, 50, 10_000_000),
        "shenzhen-treasury/model": (100_000_000, 30, 30, 1_000_000),
        "hangzhou-treasury/compute": (250_000_000, 30, 20, 8_000_000),
        "qingyang-treasury/compute": (100_000_000, 30, 30, 2_000_000),
        "wuhu-treasury/compute": (100_000_000, 25, 25, 20_000_000),
        "chengdu-treasury/compute": (10_000_000, 30, 30, 3_000_000),
        "zhengzhou-treasury/compute": (50_000_000, 20, 20, 1_000_000),
        "nanning-treasury/compute": (50_000_000, 30, 30, 2_000_000),
    }
    for programme, figures in known.items():
        one = terms[programme]
        assert figures == (one.envelope_yuan, one.share_domestic, one.share_foreign, one.cap_yuan), programme
        assert not {"envelope", "share", "cap"} & set(one.assumed)
