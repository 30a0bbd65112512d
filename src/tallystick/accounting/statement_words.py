"""What a statement says in English and in Chinese, by what it is: fields, events, states and reasons.

The Chinese words are those of cities' rules for compute vouchers: 算力券, 预留, 核销 (what is used is charged to the
voucher), 申请兑付 (a claim), 兑付 (it is paid), 追缴 (paid without right, and asked back).
"""

from typing import Final, Literal

Language = Literal["en", "zh"]

_COLUMN: Final[dict[Language, int]] = {"en": 0, "zh": 1}

TITLES: Final = {
    "holder": ("Statement of a voucher holder", "算力券持有人对账单"),
    "provider": ("Statement of a provider", "算力服务商对账单"),
    "programme": ("Statement of a programme", "算力券项目对账单"),
}
PLACES: Final = {
    "log": ("Log", "日志"),
    "as_of": ("As of entry", "截至条目"),
    "log_time": ("of", "时间"),
    "size": ("tree of", "条目数"),
    "entries": ("entries", "条"),
    "root": ("root", "根哈希"),
    "page": ("page {} of {}", "第 {} 页 共 {} 页"),
    "units": ("Amounts in yuan, GPU-time in GPU-hours, days in", "金额单位：元；算力时长单位：卡时；日期时区："),
    "again": (
        "Made from the log alone. The same command on the same log makes the same file:",
        "本对账单全部由日志生成。同一日志上的同一命令生成同一文件：",
    ),
    "nothing": ("none in this period", "本期无记录"),
    "total": ("total", "合计"),
    "period": ("period", "期间"),
    "first": ("the log's beginning", "日志开始"),
    "to": ("to", "至"),
    "opening": ("opening, before {}", "期初（{} 前）"),
    "closing": ("closing", "期末"),
    "change": ("change", "本期变动"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
}
SECTIONS: Final = {
    "summary": ("Summary", "汇总"),
    "where": ("Where the envelope is", "资金总额的去向"),
    "vouchers": ("Vouchers", "算力券"),
    "reservations": ("Open reservations", "未结预留"),
    "contracts": ("Contracts", "合同"),
    "movements": ("Movements of vouchers", "算力券变动明细"),
    "programmes": ("By programme", "按项目"),
    "statements": ("Statements of use", "用量核销明细"),
    "services": ("Services that are no GPU-time", "非卡时服务"),
    "refusals": ("Refused lines", "被拒绝的用量"),
    "claims": ("Claims", "兑付申请"),
    "demands": ("Demands", "追缴"),
    "quarters": ("By quarter, as booked", "按季度（记账日）"),
    "holders": ("By holder", "按持有人"),
    "providers": ("By provider", "按服务商"),
}
FIELDS: Final = {
    "absorbed_fen": ("other support", "其他补助承担"),
    "amount_fen": ("amount", "金额"),
    "at": ("day", "日期"),
    "available_fen": ("available", "可用"),
    "burned_fen": ("used", "已核销"),
    "cancelled_fen": ("given up", "撤销追缴"),
    "carried_over_fen": ("of it before the log", "其中日志前已用"),
    "charged_fen": ("charged", "已计费"),
    "claim": ("claim", "兑付申请"),
    "claimant": ("claimant", "申请人"),
    "claimed_at": ("claimed", "申请日"),
    "claimed_fen": ("claimed", "申请兑付"),
    "closes_at": ("closes", "截止"),
    "contract": ("contract", "合同"),
    "demand": ("demand", "追缴单"),
    "demanded_at": ("demanded", "追缴日"),
    "demanded_fen": ("asked back", "追缴"),
    "either_fen": ("of either side", "待定受付方"),
    "envelope_fen": ("envelope", "资金总额"),
    "expired_fen": ("expired", "到期失效"),
    "face_fen": ("face", "面额"),
    "fee_fen": ("fee", "费用"),
    "first_day": ("from", "自"),
    "forfeited_fen": ("forfeited", "退回项目"),
    "from_voucher_fen": ("by vouchers", "券付"),
    "gpu_milliseconds": ("GPU-hours", "卡时"),
    "granted_fen": ("granted", "获发"),
    "holder": ("holder", "持有人"),
    "index": ("entry", "条目"),
    "issued_fen": ("issued", "已发放"),
    "item": ("item", "服务项"),
    "kind": ("event", "事项"),
    "last_day": ("up to", "截至"),
    "left_fen": ("left", "未收回"),
    "lines": ("lines", "条数"),
    "lines_accepted": ("lines", "接受条数"),
    "lines_paid": ("lines paid", "支付条数"),
    "lines_refused": ("refused", "拒绝条数"),
    "lines_reversed": ("taken back", "冲正条数"),
    "name": ("name", "名称"),
    "over_fen": ("of it past validity", "其中已过有效期"),
    "paid_fen": ("paid", "已兑付"),
    "payee": ("payee", "受付方"),
    "payment_day": ("bank's day", "付款日"),
    "payment_fen": ("by bank", "银行付款"),
    "payment_reference": ("bank's reference", "银行流水号"),
    "programme": ("programme", "项目"),
    "provider": ("provider", "服务商"),
    "quantity": ("quantity", "数量"),
    "quarter": ("quarter", "季度"),
    "reason": ("reason", "原因"),
    "receivable_fen": ("receivable", "应收追缴"),
    "received_fen": ("received back", "追缴收回"),
    "ref": ("document", "单据号"),
    "released_fen": ("released", "释放"),
    "remaining_fen": ("remaining", "余额"),
    "reservation": ("reservation", "预留"),
    "reserved_fen": ("reserved", "已预留"),
    "returned_fen": ("returned", "退回"),
    "reversed": ("taken back", "已冲正"),
    "reversed_fen": ("reversed", "冲正"),
    "revoked_fen": ("revoked", "收回券额"),
    "set_off_fen": ("set off", "抵扣"),
    "settled_fen": ("settled", "结算兑付"),
    "status": ("state", "状态"),
    "suspended": ("suspended", "已中止"),
    "taken_fen": ("used", "已核销"),
    "to_holders_fen": ("owed to holders", "应付持有人"),
    "transferred_fen": ("passed on", "转出"),
    "treasury": ("treasury", "主管财政"),
    "unclaimed_fen": ("unclaimed", "未申请兑付"),
    "unissued_fen": ("unissued", "未发放"),
    "until": ("until", "预留至"),
    "valid_from": ("valid from", "生效"),
    "valid_until": ("valid until", "失效"),
    "voucher": ("voucher", "算力券"),
    "vouchers": ("vouchers", "券数"),
    "withheld_fen": ("withheld", "暂缓兑付"),
}
"""By the name that a field of a view has."""
STATES: Final = {
    "active": ("active", "有效"),
    "suspended": ("suspended", "已中止"),
    "revoked": ("revoked", "已收回"),
    "expired": ("expired", "已失效"),
    "over": ("past validity", "已过有效期"),
    "not_yet_valid": ("not valid yet", "未生效"),
    "open": ("open", "待结算"),
    "settled": ("settled", "已结算"),
    "provider": ("the provider", "服务商"),
    "holder": ("the holder", "持有人"),
    "contract": ("whom the contract names", "合同约定方"),
}
EVENTS: Final = {
    "voucher.issued/1": ("issued", "发放"),
    "voucher.imported/1": ("brought along", "结转"),
    "voucher.transferred/1": ("transferred", "转让"),
    "voucher.suspended/1": ("suspended", "中止"),
    "voucher.resumed/1": ("resumed", "恢复"),
    "voucher.revoked/1": ("revoked", "收回"),
    "voucher.reserved/1": ("reserved", "预留"),
    "reservation.extended/1": ("reserved more or longer", "追加预留"),
    "reservation.released/1": ("released", "释放预留"),
    "book.expired/1": ("expired", "到期失效"),
    "time.burned/1": ("used", "核销（卡时）"),
    "service.burned/1": ("used, a service", "核销（服务）"),
    "burn.reversed/1": ("taken back", "冲正"),
    "contract.amended/1": ("contract amended", "合同变更"),
}
REASONS: Final = {
    "correction_unfounded": "更正无依据",
    "exceeds_contract": "超出合同金额",
    "exceeds_corrected_line": "超出被更正的用量",
    "exceeds_reservation": "超出预留金额",
    "interval_invalid": "时间区间无效",
    "item_not_covered": "项目不支持该服务项",
    "item_not_gpu_time": "非卡时服务项",
    "item_not_in_contract": "合同未列该服务项",
    "item_unknown": "服务项不存在",
    "job_time_already_burned": "该时段已核销",
    "job_time_in_the_future": "时间在未来",
    "job_time_too_long_ago": "超过申报期限",
    "nothing_reserved": "无预留",
    "outside_contract": "不在合同期内",
    "outside_reservation": "不在预留期内",
    "outside_voucher_validity": "不在券有效期内",
    "period_not_sealed": "账期未封账",
    "period_sealed": "账期已封账",
    "price_above_limit": "价格超出限价",
    "provider_not_accredited": "服务商未获准入",
    "tariff_missing": "无公示价格",
}
"""By the code of a refused line's reason, in Chinese; in English the code says it."""


class StatementWords:
    """The words of one language."""

    def __init__(self, language: Language) -> None:
        self.language: Final = language
        self._place: Final = _COLUMN[language]

    def title(self, kind: str) -> str:
        """Return what a statement of a kind is called."""
        return TITLES[kind][self._place]

    def place(self, name: str, *values: object) -> str:
        """Return a word of the frame: of heads, feet and periods."""
        return PLACES[name][self._place].format(*values)

    def section(self, name: str) -> str:
        """Return what a table is called."""
        return SECTIONS[name][self._place]

    def field(self, name: str) -> str:
        """Return what a field of a view is called."""
        return FIELDS[name][self._place]

    def state(self, state: str) -> str:
        """Return a state; as it is, if it has no word."""
        return STATES[state][self._place] if state in STATES else state

    def event(self, kind: str) -> str:
        """Return what happened; the kind itself, if it has no word."""
        return EVENTS[kind][self._place] if kind in EVENTS else kind

    def reason(self, code: str) -> str:
        """Return why a line was refused."""
        said = code.replace("_", " ")
        return f"{REASONS[code]} ({said})" if self.language == "zh" and code in REASONS else said
