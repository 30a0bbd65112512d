"""The cast is as large as it says, and formally right."""

from stdnum.cn import uscc

from tallystick.demo import cast, market


def test_seventeen_cities_a_district_ten_clusters() -> None:
    """And nobody twice."""
    assert len({city.treasury for city in cast.CITIES}) == 17
    assert len({city.treasury for city in cast.TREASURIES}) == 18
    assert len({cluster.party for cluster in market.CLUSTERS}) == 10
    assert len(set(cast.STARTUPS)) == len(cast.STARTUPS) == 30


def test_no_id_belongs_to_two() -> None:
    """A city's treasury and the cluster of the same name are told apart."""
    parties = [cast.NETWORK, cast.AUDITOR, cast.OPERATOR, cast.PLATFORM, cast.BUREAU]
    parties += [*market.CLUSTER_OF, *cast.STARTUPS]
    parties += [city.treasury for city in cast.TREASURIES]
    assert len(set(parties)) == len(parties)


def test_social_credit_codes_are_valid_and_differ() -> None:
    """By the standard's own check character."""
    codes = [cast.social_credit_code(party) for party in (*market.CLUSTER_OF, *cast.STARTUPS)]
    assert all(uscc.is_valid(code) for code in codes)
    assert len(set(codes)) == len(codes)


def test_known_figures_are_as_published() -> None:
    """Envelope, shares of the fee and cap of the programmes that publish all of them, in CNY and per cent."""
    terms = {city.programme(one): one for city in cast.CITIES for one in city.programmes}
    domestic, foreign, filed = "ascend-910b", "h100-80g", "tidewater-serving"
    known = {
        "shenzhen-treasury/training": (500_000_000, {domestic: 50, foreign: 50}, 10_000_000),
        "shenzhen-treasury/model": (100_000_000, {filed: 30}, 1_000_000),
        "hangzhou-treasury/compute": (250_000_000, {domestic: 30, foreign: 20, filed: 30}, 8_000_000),
        "qingyang-treasury/compute": (100_000_000, {domestic: 30, foreign: 30}, 2_000_000),
        "wuhu-treasury/compute": (100_000_000, {domestic: 25, foreign: 25}, 20_000_000),
        "chengdu-treasury/compute": (10_000_000, {domestic: 30, foreign: 30}, 3_000_000),
        "zhengzhou-treasury/compute": (50_000_000, {domestic: 20, foreign: 20}, 1_000_000),
        "nanning-treasury/compute": (50_000_000, {domestic: 30, foreign: 30}, 2_000_000),
    }
    for programme, (envelope_yuan, shares, cap_yuan) in known.items():
        one = terms[programme]
        shares_here = {
            item: next(share.per_cent for share in one.shares if share.is_about(market.ITEM_OF[item]))
            for item in (domestic, foreign, filed)
            if one.covers(item)
        }
        assert (envelope_yuan, shares, cap_yuan) == (one.envelope_yuan, shares_here, one.cap_yuan), programme
        assert not {"envelope", "share", "cap"} & set(one.assumed)


def test_every_cluster_sells_what_is_registered_within_the_usual_limits() -> None:
    """Dearer than usual is for a programme to refuse, not for the cast to make up."""
    for cluster in market.CLUSTERS:
        for item, price_fen in cluster.prices_fen:
            assert market.ITEM_OF[item].counted is None
            assert price_fen <= market.ITEM_OF[item].limit_fen
        assert dict(cluster.prices_fen).items() < cluster.all_prices_fen.items()
        for item, price_fen in cluster.all_prices_fen.items() - dict(cluster.prices_fen).items():
            assert market.ITEM_OF[item].counted is not None
            assert price_fen <= market.ITEM_OF[item].limit_fen
