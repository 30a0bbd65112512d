// Made by `make verify-page`.

export const NAMES = {
 "kinds": {
  "application.filed/1": [
   "Application filed",
   "申请提交"
  ],
  "application.withdrawn/1": [
   "Application withdrawn",
   "申请撤回"
  ],
  "attestation.given/1": [
   "Verdict given",
   "审核意见出具"
  ],
  "book.expired/1": [
   "Expiry booked",
   "到期失效登记"
  ],
  "book.sealed/1": [
   "Books sealed",
   "账期封账"
  ],
  "burn.reversed/1": [
   "Line reversed",
   "用量明细冲正"
  ],
  "capacity.declared/1": [
   "Capacity declared",
   "装机容量申报"
  ],
  "checkpoint.recorded/1": [
   "Another log's checkpoint recorded",
   "其他日志的检查点登记"
  ],
  "contract.amended/1": [
   "Contract amended",
   "合同变更"
  ],
  "contract.signed/1": [
   "Contract signed",
   "合同签订"
  ],
  "item.registered/1": [
   "Item registered",
   "服务项登记"
  ],
  "key.added/1": [
   "Key added",
   "密钥添加"
  ],
  "key.revoked/1": [
   "Key revoked",
   "密钥吊销"
  ],
  "key.rotated/1": [
   "Key replaced",
   "密钥更换"
  ],
  "log.rekeyed/1": [
   "Log's key changed",
   "日志密钥更换"
  ],
  "mandate.ended/1": [
   "Mandate ended",
   "授权终止"
  ],
  "mandate.given/1": [
   "Mandate given",
   "授权生成"
  ],
  "network.founded/1": [
   "Network founded",
   "网络创立"
  ],
  "party.admitted/1": [
   "Party admitted",
   "参与方加入"
  ],
  "party.amended/1": [
   "Party amended",
   "参与方变更"
  ],
  "party.reinstated/1": [
   "Party reinstated",
   "参与方恢复"
  ],
  "party.suspended/1": [
   "Party suspended",
   "参与方中止"
  ],
  "programme.amended/1": [
   "Programme amended",
   "项目变更"
  ],
  "programme.opened/1": [
   "Programme opened",
   "项目设立"
  ],
  "provider.accredited/1": [
   "Provider accredited",
   "服务商准入"
  ],
  "provider.delisted/1": [
   "Accreditation ended",
   "服务商准入终止"
  ],
  "record.withdrawn/1": [
   "Record withdrawn",
   "登记撤回"
  ],
  "recovery.cancelled/1": [
   "Demand cancelled",
   "追缴撤销"
  ],
  "recovery.demanded/1": [
   "Money asked back",
   "追缴发起"
  ],
  "recovery.received/1": [
   "Money came back",
   "追缴款收回"
  ],
  "redemption.claimed/1": [
   "Payment claimed",
   "兑付申请提交"
  ],
  "redemption.disallowed/1": [
   "Withheld amount disallowed",
   "暂缓兑付款核减"
  ],
  "redemption.settled/1": [
   "Claim settled",
   "兑付申请结算"
  ],
  "reservation.extended/1": [
   "Reservation extended",
   "预留追加或延长"
  ],
  "reservation.released/1": [
   "Reservation released",
   "预留释放"
  ],
  "rules.adopted/1": [
   "Edition of the rules adopted",
   "规则版本启用"
  ],
  "service.burned/1": [
   "Service burned",
   "服务费用核销"
  ],
  "tariff.published/1": [
   "Tariff published",
   "价格公示"
  ],
  "time.burned/1": [
   "GPU-time burned",
   "卡时核销"
  ],
  "voucher.imported/1": [
   "Voucher imported",
   "算力券结转"
  ],
  "voucher.issued/1": [
   "Voucher issued",
   "算力券发放"
  ],
  "voucher.reserved/1": [
   "Amount reserved",
   "券额预留"
  ],
  "voucher.resumed/1": [
   "Voucher resumed",
   "算力券恢复"
  ],
  "voucher.revoked/1": [
   "Voucher revoked",
   "算力券收回"
  ],
  "voucher.suspended/1": [
   "Voucher suspended",
   "算力券中止"
  ],
  "voucher.transferred/1": [
   "Voucher transferred",
   "算力券转让"
  ]
 },
 "roles": {
  "attester": [
   "attester",
   "审核方"
  ],
  "auditor": [
   "auditor",
   "审计方"
  ],
  "holder": [
   "holder",
   "持有人"
  ],
  "network": [
   "network",
   "网络方"
  ],
  "operator": [
   "operator",
   "运营方"
  ],
  "provider": [
   "provider",
   "服务商"
  ],
  "treasury": [
   "treasury",
   "主管财政"
  ]
 },
 "fields": {
  "about": [
   "About",
   "相关对象"
  ],
  "absorbed": [
   "Other support used",
   "其他补助承担"
  ],
  "absorbed_fen": [
   "Other support used",
   "其他补助承担"
  ],
  "accounts": [
   "Accounts",
   "账户数"
  ],
  "acts": [
   "Acts",
   "事项"
  ],
  "added_index": [
   "Added by entry",
   "添加条目"
  ],
  "admitted": [
   "Admitted",
   "被接纳方"
  ],
  "admitted_index": [
   "Admitted by entry",
   "加入条目"
  ],
  "admitter": [
   "Admitted by",
   "接纳方"
  ],
  "age_days": [
   "Age",
   "账龄"
  ],
  "all_or_nothing": [
   "All or nothing",
   "整份接受或拒绝"
  ],
  "amount_fen": [
   "Amount",
   "金额"
  ],
  "application": [
   "Application",
   "申请"
  ],
  "applications": [
   "Applications",
   "申请"
  ],
  "asked": [
   "Asked for",
   "要求数"
  ],
  "at": [
   "Time",
   "时间"
  ],
  "attester": [
   "Attester",
   "审核方"
  ],
  "attesters": [
   "Attesters",
   "审核方"
  ],
  "available_fen": [
   "Available",
   "可用"
  ],
  "available_left_fen": [
   "Available then",
   "当日可用余额"
  ],
  "balance": [
   "Balance",
   "余额"
  ],
  "basis": [
   "Goes by",
   "计费依据"
  ],
  "batch": [
   "Batch",
   "批次"
  ],
  "before": [
   "Before",
   "前置环节"
  ],
  "burn_window_seconds": [
   "Burn window",
   "核销期限"
  ],
  "burned_fen": [
   "Burned",
   "已核销"
  ],
  "by": [
   "Found by",
   "匹配方式"
  ],
  "cancelled_fen": [
   "Given up",
   "撤销追缴"
  ],
  "cap": [
   "Cap",
   "年度上限"
  ],
  "capacity": [
   "Capacity",
   "装机容量"
  ],
  "carried_over_fen": [
   "Used before the log",
   "日志前已用"
  ],
  "cause": [
   "Cause",
   "原因类别"
  ],
  "ceiling_bp": [
   "Ceiling",
   "补助总比例上限"
  ],
  "chargeable_fen": [
   "Can still be charged",
   "尚可计费"
  ],
  "charged_fen": [
   "Charged",
   "已计费"
  ],
  "checkpoint": [
   "Checkpoint",
   "检查点"
  ],
  "claim": [
   "Claim",
   "兑付申请"
  ],
  "claimant": [
   "Claimant",
   "申请人"
  ],
  "claimed_0_30_fen": [
   "Claimed for 0 to 30 days",
   "申请 0 至 30 天"
  ],
  "claimed_31_60_fen": [
   "Claimed for 31 to 60 days",
   "申请 31 至 60 天"
  ],
  "claimed_61_90_fen": [
   "Claimed for 61 to 90 days",
   "申请 61 至 90 天"
  ],
  "claimed_at": [
   "Claimed at",
   "申请时间"
  ],
  "claimed_fen": [
   "Claimed",
   "申请兑付"
  ],
  "claimed_index": [
   "Claimed by entry",
   "申请条目"
  ],
  "claimed_over_90_fen": [
   "Claimed for over 90 days",
   "申请超过 90 天"
  ],
  "claims": [
   "Claims",
   "兑付申请"
  ],
  "claims_open": [
   "Open claims",
   "未结兑付申请"
  ],
  "clock_skew_seconds": [
   "Clock skew",
   "允许的时钟偏差"
  ],
  "closed": [
   "Closed",
   "已关闭"
  ],
  "closes_at": [
   "Closes",
   "截止时间"
  ],
  "compromised_since": [
   "Compromised since",
   "泄露起始"
  ],
  "contract": [
   "Contract",
   "合同"
  ],
  "contracts": [
   "Contracts",
   "合同"
  ],
  "corrects": [
   "Corrects",
   "更正"
  ],
  "count": [
   "Number",
   "数量"
  ],
  "counted": [
   "Counted in",
   "计数单位"
  ],
  "counts_from": [
   "Counts from",
   "生效时间"
  ],
  "currency": [
   "Currency",
   "币种"
  ],
  "cut_off_days": [
   "Days to claim",
   "申请期限天数"
  ],
  "cycle": [
   "Cycle",
   "周期"
  ],
  "day": [
   "Day",
   "日期"
  ],
  "day_count": [
   "Day count",
   "计日方式"
  ],
  "days": [
   "Days",
   "日期"
  ],
  "days_left": [
   "Days left",
   "剩余天数"
  ],
  "days_overdue": [
   "Days overdue",
   "逾期天数"
  ],
  "declarations": [
   "Declarations",
   "声明"
  ],
  "delisted_index": [
   "Ended by entry",
   "终止条目"
  ],
  "demand": [
   "Demand",
   "追缴单"
  ],
  "demanded_at": [
   "Asked back at",
   "追缴时间"
  ],
  "demanded_fen": [
   "Asked back",
   "追缴"
  ],
  "demanded_index": [
   "Asked back by entry",
   "追缴条目"
  ],
  "demands": [
   "Demands",
   "追缴单"
  ],
  "document_hash": [
   "Document's hash",
   "文件哈希"
  ],
  "domestic_fen": [
   "Domestic",
   "国产"
  ],
  "domestic_gpu_milliseconds": [
   "Domestic GPU-time",
   "国产算力时长"
  ],
  "due_day": [
   "Can be sealed up to",
   "可封账至"
  ],
  "each_fen": [
   "Most of one command",
   "单笔上限"
  ],
  "edition": [
   "Edition",
   "规则版本"
  ],
  "either_fen": [
   "Of either side",
   "待定受付方"
  ],
  "ends_at": [
   "To",
   "结束时间"
  ],
  "entries": [
   "Entries",
   "条目数"
  ],
  "entry_index": [
   "Entry",
   "条目"
  ],
  "envelope_fen": [
   "Envelope",
   "资金总额"
  ],
  "evidence_hash": [
   "Evidence's hash",
   "凭据哈希"
  ],
  "evidence_root": [
   "Evidence root",
   "凭据根哈希"
  ],
  "expired_fen": [
   "Expired",
   "到期失效"
  ],
  "face_fen": [
   "Face value",
   "面额"
  ],
  "fee_fen": [
   "Fee",
   "费用"
  ],
  "filed": [
   "Filed models alone",
   "仅限已备案"
  ],
  "filed_at": [
   "Filed at",
   "提交时间"
  ],
  "filed_index": [
   "Filed by entry",
   "提交条目"
  ],
  "filing": [
   "Model's filing",
   "模型备案号"
  ],
  "first": [
   "First",
   "起"
  ],
  "first_day": [
   "First day",
   "起始日"
  ],
  "fiscal_year": [
   "Fiscal year",
   "财政年度"
  ],
  "floor_fen": [
   "Floor",
   "最低面额"
  ],
  "foreign_fen": [
   "Foreign",
   "进口"
  ],
  "foreign_gpu_milliseconds": [
   "Foreign GPU-time",
   "进口算力时长"
  ],
  "forfeited_fen": [
   "Forfeited",
   "退回项目"
  ],
  "freshness_seconds": [
   "Freshness",
   "签署时限"
  ],
  "from_days": [
   "From days",
   "起始天数"
  ],
  "from_voucher_fen": [
   "Paid by vouchers",
   "券付"
  ],
  "gates": [
   "Gates",
   "审核关口"
  ],
  "gpu_milliseconds": [
   "GPU-time",
   "算力时长"
  ],
  "granted_fen": [
   "Granted",
   "获发"
  ],
  "group": [
   "Group",
   "组"
  ],
  "groups": [
   "Lines, by item",
   "用量明细（按服务项）"
  ],
  "history": [
   "History",
   "历史"
  ],
  "holder": [
   "Holder",
   "持有人"
  ],
  "holder_class": [
   "Holder's class",
   "持有人类别"
  ],
  "holder_fen": [
   "Most of a holder",
   "每个持有人上限"
  ],
  "holders": [
   "Holders",
   "持有人"
  ],
  "id": [
   "Id",
   "编号"
  ],
  "in_words": [
   "In words",
   "文字说明"
  ],
  "index": [
   "Entry",
   "条目"
  ],
  "installed": [
   "Installed",
   "装机数量"
  ],
  "installed_milliseconds": [
   "Installed GPU-time",
   "装机算力时长"
  ],
  "into": [
   "New voucher",
   "新算力券"
  ],
  "issued": [
   "Issued",
   "已发放"
  ],
  "issued_fen": [
   "Issued",
   "已发放"
  ],
  "item": [
   "Item",
   "服务项"
  ],
  "items": [
   "Items",
   "服务项"
  ],
  "items_from": [
   "Prices from",
   "单价起始日"
  ],
  "job": [
   "Job",
   "作业"
  ],
  "key": [
   "Key",
   "密钥"
  ],
  "keys": [
   "Keys",
   "密钥"
  ],
  "kind": [
   "Event",
   "事项"
  ],
  "kinds": [
   "Commands",
   "指令种类"
  ],
  "last": [
   "Last",
   "止"
  ],
  "last_day": [
   "Last day",
   "截止日"
  ],
  "left_fen": [
   "Left",
   "剩余"
  ],
  "line": [
   "Line",
   "行号"
  ],
  "lines": [
   "Lines",
   "明细条数"
  ],
  "lines_accepted": [
   "Lines accepted",
   "接受条数"
  ],
  "lines_paid": [
   "Lines paid",
   "支付条数"
  ],
  "lines_refused": [
   "Lines refused",
   "拒绝条数"
  ],
  "lines_reversed": [
   "Lines reversed",
   "冲正条数"
  ],
  "log": [
   "Log",
   "日志"
  ],
  "log_vkey": [
   "Log's key",
   "日志公钥"
  ],
  "lots": [
   "Lots",
   "核销批次"
  ],
  "maker": [
   "Natural person",
   "自然人创客"
  ],
  "mandate": [
   "Mandate",
   "授权"
  ],
  "mandates": [
   "Mandates",
   "授权"
  ],
  "member_of": [
   "Member of",
   "所属日志"
  ],
  "meter_keys": [
   "Keys for metering",
   "计量密钥"
  ],
  "missing": [
   "Missing",
   "缺失"
  ],
  "more": [
   "More",
   "更多"
  ],
  "name": [
   "Name",
   "名称"
  ],
  "new_vkey": [
   "New key",
   "新公钥"
  ],
  "now": [
   "Log's time",
   "日志时间"
  ],
  "of": [
   "Of",
   "对象"
  ],
  "officers": [
   "Officers",
   "经办签字规则"
  ],
  "offsets": [
   "Set off",
   "抵扣"
  ],
  "old_vkey": [
   "Old key",
   "原公钥"
  ],
  "oldest_claimed_at": [
   "Oldest claim",
   "最早申请时间"
  ],
  "oldest_last_day": [
   "Oldest period's end",
   "最早账期截止日"
  ],
  "opens_at": [
   "Opens at",
   "开放时间"
  ],
  "operator": [
   "Operator",
   "运营方"
  ],
  "origin": [
   "Origin",
   "产地"
  ],
  "other_side": [
   "By the other side",
   "由合同另一方审核"
  ],
  "other_support_fen": [
   "Other support",
   "其他补助"
  ],
  "other_support_left_fen": [
   "Other support left",
   "剩余其他补助"
  ],
  "over_fen": [
   "Past its validity",
   "已过有效期"
  ],
  "overlap_seconds": [
   "Overlap",
   "重叠期"
  ],
  "owed": [
   "Owed",
   "应付"
  ],
  "owed_fen": [
   "Owed",
   "应付"
  ],
  "owed_left_fen": [
   "Owed then",
   "当日应付余额"
  ],
  "paid": [
   "Paid by vouchers",
   "券付"
  ],
  "paid_fen": [
   "Paid",
   "已兑付"
  ],
  "parent": [
   "Passed on from",
   "转自"
  ],
  "parts": [
   "Vouchers passed on",
   "转出券"
  ],
  "party": [
   "Party",
   "参与方"
  ],
  "passed": [
   "Passed",
   "是否通过"
  ],
  "passes": [
   "Verdicts needed",
   "所需通过数"
  ],
  "pay_available": [
   "Pays what is left",
   "预留不足时按余额支付"
  ],
  "payee": [
   "Payee",
   "受付方"
  ],
  "payment": [
   "Payment",
   "付款"
  ],
  "payment_day": [
   "Day of payment",
   "付款日"
  ],
  "payment_fen": [
   "Paid by bank",
   "银行付款"
  ],
  "payment_reference": [
   "Bank's reference",
   "银行流水号"
  ],
  "price_fen": [
   "Price of a unit",
   "单价"
  ],
  "price_limit_fen": [
   "Highest price",
   "限价"
  ],
  "prices": [
   "Prices",
   "单价"
  ],
  "prior_period": [
   "Prior period",
   "跨期"
  ],
  "profile_hash": [
   "Profile's hash",
   "身份文件哈希"
  ],
  "programme": [
   "Programme",
   "项目"
  ],
  "programmes": [
   "Programmes",
   "项目"
  ],
  "proration": [
   "Proration",
   "分摊"
  ],
  "provider": [
   "Provider",
   "服务商"
  ],
  "providers": [
   "Providers",
   "服务商"
  ],
  "purpose": [
   "Purpose",
   "用途"
  ],
  "quantity": [
   "Quantity",
   "数量"
  ],
  "quarter": [
   "Quarter",
   "季度"
  ],
  "quarters": [
   "Quarters",
   "季度"
  ],
  "quorum": [
   "Signatures needed",
   "所需签名数"
  ],
  "rank": [
   "Rank",
   "顺位"
  ],
  "read_keys": [
   "Keys for reading",
   "查阅密钥"
  ],
  "reason": [
   "Reason",
   "原因"
  ],
  "receivable_fen": [
   "Receivable",
   "应收追缴"
  ],
  "received_fen": [
   "Received back",
   "追缴收回"
  ],
  "record": [
   "What is withdrawn",
   "所撤回的登记"
  ],
  "ref": [
   "Reference",
   "单据号"
  ],
  "reference": [
   "Bank's reference",
   "银行流水号"
  ],
  "refusals": [
   "Refusals",
   "拒绝"
  ],
  "refused": [
   "Refused because",
   "拒绝原因"
  ],
  "registered_index": [
   "Registered by entry",
   "登记条目"
  ],
  "related_party": [
   "Related parties",
   "关联方"
  ],
  "release_grace_seconds": [
   "Release grace",
   "释放宽限期"
  ],
  "released_fen": [
   "Released",
   "已释放"
  ],
  "remaining_fen": [
   "Remaining",
   "余额"
  ],
  "required": [
   "Officers needed",
   "所需经办人数"
  ],
  "reservation": [
   "Reservation",
   "预留"
  ],
  "reservations": [
   "Reservations",
   "预留"
  ],
  "reserved_fen": [
   "Reserved",
   "已预留"
  ],
  "reserved_left_fen": [
   "Reserved then",
   "当日预留余额"
  ],
  "returned": [
   "Returned",
   "退回"
  ],
  "returned_fen": [
   "Returned",
   "退回"
  ],
  "reversed": [
   "Reversed",
   "冲正"
  ],
  "reversed_fen": [
   "Reversed",
   "冲正"
  ],
  "reversed_gpu_milliseconds": [
   "Reversed GPU-time",
   "冲正算力时长"
  ],
  "reversed_lines": [
   "Lines reversed",
   "冲正条数"
  ],
  "revoked_fen": [
   "Revoked",
   "收回"
  ],
  "revoked_index": [
   "Revoked by entry",
   "吊销条目"
  ],
  "role": [
   "Role",
   "角色"
  ],
  "root": [
   "Root",
   "根哈希"
  ],
  "root_keys": [
   "Root keys",
   "根密钥"
  ],
  "root_quorum": [
   "Root quorum",
   "根密钥签名数"
  ],
  "rounding_fen": [
   "Rounding",
   "取整"
  ],
  "rows": [
   "By contract",
   "按合同"
  ],
  "rules": [
   "Rules",
   "规则"
  ],
  "rules_from": [
   "In force from",
   "规则起始日"
  ],
  "seal": [
   "Seal",
   "封账"
  ],
  "sealing_grace_seconds": [
   "Sealing grace",
   "封账宽限期"
  ],
  "seals": [
   "Seals",
   "封账"
  ],
  "services": [
   "Services",
   "服务"
  ],
  "set_off_fen": [
   "Set off",
   "抵扣"
  ],
  "settled_at": [
   "Settled at",
   "结算时间"
  ],
  "settled_fen": [
   "Settled",
   "结算兑付"
  ],
  "settled_index": [
   "Settled by entry",
   "结算条目"
  ],
  "share_bp": [
   "Share",
   "补助比例"
  ],
  "shares": [
   "Shares",
   "补助比例"
  ],
  "signed_at": [
   "Signed at",
   "签署时间"
  ],
  "since": [
   "Since",
   "起始时间"
  ],
  "standing": [
   "Standing",
   "效力"
  ],
  "starts_at": [
   "From",
   "开始时间"
  ],
  "statement": [
   "Statement",
   "用量报表"
  ],
  "statements": [
   "Statements",
   "用量报表"
  ],
  "status": [
   "Status",
   "状态"
  ],
  "subject": [
   "Subject",
   "审核对象"
  ],
  "subject_id": [
   "Reviewed",
   "对象编号"
  ],
  "subject_type": [
   "Subject type",
   "对象类型"
  ],
  "suspended": [
   "Suspended",
   "是否中止"
  ],
  "taken_fen": [
   "Burned of it",
   "其中已核销"
  ],
  "takeover_seconds": [
   "Takeover period",
   "接管期"
  ],
  "tariff_notice_seconds": [
   "Tariff notice",
   "公告期"
  ],
  "tariffs": [
   "Tariffs",
   "公示价格"
  ],
  "terms": [
   "Terms",
   "条款"
  ],
  "text": [
   "What was said",
   "说明"
  ],
  "threshold_fen": [
   "Threshold for officers",
   "经办签字限额"
  ],
  "to": [
   "To whom or what",
   "去向"
  ],
  "to_days": [
   "To days",
   "截止天数"
  ],
  "to_holders_fen": [
   "Owed to holders",
   "应付持有人"
  ],
  "today": [
   "Today",
   "今日"
  ],
  "topic": [
   "Topic",
   "审核事项"
  ],
  "total_fen": [
   "Most in all",
   "累计上限"
  ],
  "transfer": [
   "Transfers",
   "转让规定"
  ],
  "transferred_fen": [
   "Passed on",
   "转出"
  ],
  "transferred_in_fen": [
   "Transferred in",
   "转入"
  ],
  "transferred_out_fen": [
   "Transferred out",
   "转出"
  ],
  "treasury": [
   "Treasury",
   "主管财政"
  ],
  "truncate_fen": [
   "Truncated to",
   "舍入单位"
  ],
  "type": [
   "Type",
   "类型"
  ],
  "unclaimed_fen": [
   "Unclaimed",
   "未申请兑付"
  ],
  "unissued_fen": [
   "Unissued",
   "未发放"
  ],
  "unissued_left_fen": [
   "Unissued then",
   "当日未发放余额"
  ],
  "unit": [
   "Unit",
   "计量单位"
  ],
  "until": [
   "Until",
   "期限"
  ],
  "uscc": [
   "Credit code",
   "统一社会信用代码"
  ],
  "used_fen": [
   "Used",
   "已使用"
  ],
  "used_left_fen": [
   "Used then",
   "当日累计核销"
  ],
  "utc_offset_seconds": [
   "Offset from UTC",
   "时区"
  ],
  "valid_from": [
   "Valid from",
   "生效时间"
  ],
  "valid_until": [
   "Valid until",
   "有效期至"
  ],
  "validity_days": [
   "Days of validity",
   "有效天数"
  ],
  "verdict": [
   "Verdict",
   "结论"
  ],
  "verdicts": [
   "Verdicts",
   "审核意见"
  ],
  "versions": [
   "Versions of the rules",
   "规则版本"
  ],
  "vkey": [
   "Public key",
   "公钥"
  ],
  "voucher": [
   "Voucher",
   "算力券"
  ],
  "voucher_kind": [
   "Voucher kind",
   "券种"
  ],
  "vouchers": [
   "Vouchers",
   "算力券"
  ],
  "what": [
   "What",
   "对象"
  ],
  "window_days": [
   "Days that count",
   "计算天数"
  ],
  "withdrawn_at": [
   "Withdrawn at",
   "撤回时间"
  ],
  "withdrawn_index": [
   "Withdrawn by entry",
   "撤回条目"
  ],
  "withheld_fen": [
   "Withheld",
   "暂缓兑付"
  ],
  "within_days": [
   "Within days",
   "天数范围"
  ]
 },
 "findings": {
  "balance_differs": [
   "the entries come to other balances than the closing seal holds",
   "由条目得出的余额与期末封账不同"
  ],
  "cap_exceeded_together": [
   "a treasury granted a holder more in all logs together than its cap allows in one",
   "主管财政在各日志中发给同一持有人的合计超过其年度上限"
  ],
  "checkpoint_malformed": [
   "a checkpoint is not a signed checkpoint in its canonical encoding",
   "检查点不是规范编码的已签名检查点"
  ],
  "checkpoint_missing": [
   "there is no checkpoint, or one of the numbered series is gone",
   "没有检查点，或编号序列中有缺失"
  ],
  "checkpoint_quorum_missing": [
   "too few of the policy's witnesses cosigned the checkpoint",
   "信任策略中副署该检查点的见证方不足"
  ],
  "checkpoint_root_differs": [
   "an earlier checkpoint has another root than the tree had at its size",
   "较早检查点的根哈希与树在该大小时的根哈希不同"
  ],
  "checkpoint_row_differs": [
   "a checkpoint's number or size is not what its note and its place say",
   "检查点的编号或大小与其文本及位置不符"
  ],
  "checkpoint_signature_invalid": [
   "a checkpoint is not signed by a log that the policy names, or not by the keys that the entries say",
   "检查点不是由信任策略所列日志签署，或签署密钥与条目所载不符"
  ],
  "command_for_another_log": [
   "the command's log is another log's origin",
   "指令所指的日志（log）是其他日志"
  ],
  "conservation_broken": [
   "a programme's money does not add up to its envelope, what too few officers signed passes the threshold, or what was issued for an application is not what was asked for",
   "项目资金各项合计不等于资金总额，或经办签字不足的金额超过限额，或按申请发放的内容与申请不符"
  ],
  "cosigned_checkpoint_contradicted": [
   "the cosigned checkpoint beside the log is of a tree that the log does not begin with",
   "日志旁的副署检查点所属的树不是本日志的开头部分"
  ],
  "decision_refused": [
   "decided anew, the command is refused, and yet it is an entry",
   "重新判定后，指令应被拒绝，却已成为条目"
  ],
  "dependency_missing": [
   "something that an entry was decided by is not here",
   "判定某条目所依据的内容缺失"
  ],
  "document_in_two_logs": [
   "one document is a contract or an invoice in two logs",
   "同一文件在两份日志中作为合同或发票"
  ],
  "entry_beyond_checkpoint": [
   "there is an entry that no checkpoint covers",
   "有条目未被任何检查点涵盖"
  ],
  "entry_left_out": [
   "the closing seal counts entries of the account that are not here",
   "期末封账所计的该账户条目有缺失"
  ],
  "entry_malformed": [
   "an entry is not a header line and a readable note in their canonical encoding",
   "条目不是规范编码的头部行和可读的签名文本"
  ],
  "entry_misdeclared": [
   "an entry is given as the account's and does not touch it, or the other way round",
   "条目被列为该账户的条目却与之无关，或相反"
  ],
  "entry_misplaced": [
   "a stored row belongs to no place of this log",
   "存储中有一行不属于本日志的任何位置"
  ],
  "entry_missing": [
   "an entry that the checkpoint counts is not there",
   "检查点所计的条目缺失"
  ],
  "entry_not_counted": [
   "there are entries of the account that the closing seal does not count",
   "该账户有期末封账未计的条目"
  ],
  "findings_cut": [
   "there are more findings of a code than are listed",
   "同类审计发现多于所列数量"
  ],
  "history_rewritten": [
   "the log doesn't continue a tree of it that was seen before: by an audit, a witness, a backup or an export",
   "日志未延续此前由审计、见证方、备份或导出所见的树"
  ],
  "index_differs": [
   "an entry's header has another index than its place",
   "条目头部的序号与其位置不符"
  ],
  "job_time_in_two_logs": [
   "a moment of a provider's job is burned on one item in two logs",
   "服务商同一作业的同一时段在两份日志中按同一服务项核销"
  ],
  "key_not_active_yet": [
   "a signature is by a key that another party added less than takeover_seconds ago",
   "签名密钥由其他参与方添加，尚未满接管期（takeover_seconds）"
  ],
  "key_not_for_this_command": [
   "a signature is by a key for something else: a meter key signs burns and reversals, a read key nothing",
   "签名密钥用途不符：meter 密钥只能签署核销与冲正，read 密钥不能签署任何指令"
  ],
  "key_of_two_parties": [
   "one key is of parties with different unified social credit codes in two logs",
   "两份日志中统一社会信用代码不同的参与方使用同一密钥"
  ],
  "key_revoked": [
   "a signature is by a key that was revoked",
   "签名密钥已被吊销"
  ],
  "key_unknown": [
   "a signature line, or the key named, is of a key that the log does not know",
   "签名行或所指密钥为日志所不认识"
  ],
  "kind_differs": [
   "an entry's header has another kind than its command leads to",
   "条目头部的种类与其指令应得的种类不符"
  ],
  "leaf_differs": [
   "an entry's bytes don't have the hash that the tree holds in its place",
   "条目字节的哈希与树中该位置的哈希不符"
  ],
  "log_empty": [
   "there is no entry, so no network was founded",
   "没有任何条目，因此网络尚未创立"
  ],
  "outcome_differs": [
   "decided anew, the command comes to another outcome than the entry says",
   "重新判定后，指令的结果与条目所载不同"
  ],
  "party_in_two_roles": [
   "a party is a provider in one log and a holder in another",
   "同一参与方在一份日志中是服务商，在另一份中是持有人"
  ],
  "payment_in_two_logs": [
   "a treasury used one payment reference in two logs",
   "主管财政在两份日志中使用了同一银行流水号"
  ],
  "proof_invalid": [
   "an entry is not, at this index, in the tree of the checkpoint",
   "条目不在检查点的树中的该序号处"
  ],
  "receipt_contradicted": [
   "a receipt that this log's key signed does not hold in it: the log was forked or cut back, or is an older copy",
   "由本日志密钥签署的回执在本日志中不成立：日志被分叉或截短，或是较旧的副本"
  ],
  "recorded_checkpoint_contradicted": [
   "a checkpoint of the log that another log recorded does not hold in it: the log was forked or cut back, or is an older copy",
   "另一日志所记录的本日志检查点在本日志中不成立：日志被分叉或截短，或是较旧的副本"
  ],
  "reference_index_differs": [
   "the index of references is not what the entries say",
   "单据号索引与条目不符"
  ],
  "replay_stopped": [
   "from this entry on nothing can be decided anew; form, hashes and tree are still checked",
   "自该条目起无法重新判定；仍检查格式、哈希和树"
  ],
  "root_differs": [
   "the tree rebuilt from the entries has another root than the newest checkpoint",
   "由条目重建的树与最新检查点的根哈希不同"
  ],
  "seal_proof_invalid": [
   "a leaf is not in the tree that the seal committed to",
   "叶子不在封账所承诺的树中"
  ],
  "seal_stale": [
   "a leaf is of an older seal than it is given for, or there is a newer seal",
   "叶子属于比所称更早的封账，或已有更新的封账"
  ],
  "seal_unknown": [
   "the entry named as a seal is not there, or is no seal",
   "所指的封账条目不存在，或不是封账"
  ],
  "signature_invalid": [
   "a signature is not that key's over this text",
   "签名不是该密钥对此文本的签名"
  ],
  "signatures_missing": [
   "fewer signatures than needed",
   "签名数量不足"
  ],
  "signer_not_involved": [
   "a signature is of a party that is not asked to sign",
   "签名来自无须签署的参与方"
  ],
  "state_differs": [
   "a saved state beside an export is not what the entries up to there come to",
   "导出旁保存的状态与截至该处的条目推算结果不符"
  ],
  "store_damaged": [
   "the database is damaged, or a table or column is missing",
   "数据库已损坏，或缺少表或列"
  ],
  "tile_differs": [
   "a tile holds a hash that is not over those below it",
   "瓦片中的哈希与其下层哈希不符"
  ],
  "tile_malformed": [
   "a tile or an entry bundle has not the length or form that it must have",
   "瓦片或条目包的长度或格式不符"
  ],
  "tile_missing": [
   "a tile or an entry bundle that the checkpoint implies is not there",
   "检查点所含的瓦片或条目包缺失"
  ],
  "time_went_backwards": [
   "an entry's time lies before that of the entry before it",
   "条目时间早于前一条目"
  ],
  "topic_differs": [
   "the store files an entry under another kind than its own",
   "存储将条目归入了与其不符的种类"
  ],
  "tree_differs": [
   "the stored tree lacks a hash, has one too many, or one that is not over those below it",
   "存储的树缺少哈希、多出哈希，或有哈希与其下层不符"
  ],
  "voucher_in_two_logs": [
   "a voucher from before the logs was brought into two of them",
   "日志建立前的同一张算力券被带入两份日志"
  ]
 },
 "reasons": {
  "canonical_json": [
   "Not canonical JSON (RFC 8785) of the restricted kind",
   "不是受限的规范 JSON（RFC 8785）"
  ],
  "checkpoint_malformed": [
   "Not a C2SP tlog-checkpoint",
   "不是 C2SP tlog-checkpoint 格式的检查点"
  ],
  "edition_unknown": [
   "A log was made by an edition of the rules that this version doesn't know; nothing is said about the log",
   "日志采用的规则版本本程序不认识；不对该日志作任何判断"
  ],
  "entry_malformed": [
   "Not an entry: a header line and a note",
   "不是条目：条目由一行头部和一份签名文本组成"
  ],
  "key_malformed": [
   "Not a vkey text, or its key id does not belong to it",
   "不是 vkey 文本，或其密钥标识不符"
  ],
  "malformed": [
   "Bytes that are not in their canonical encoding",
   "字节不是规范编码"
  ],
  "note_malformed": [
   "the bytes are not a signed note",
   "这些字节不是签名文本"
  ],
  "policy_malformed": [
   "Not a C2SP tlog-policy",
   "不是 C2SP tlog-policy 格式的信任策略"
  ],
  "proof_invalid": [
   "A Merkle proof that does not lead to the given root",
   "默克尔证明得不到所给的根哈希"
  ],
  "quorum_missing": [
   "Too few witnesses cosigned a checkpoint",
   "副署检查点的见证方不足"
  ],
  "receipt_malformed": [
   "Not a C2SP tlog-proof",
   "不是 C2SP tlog-proof 格式的回执"
  ],
  "signature_invalid": [
   "a signature is not that key's over this text",
   "签名不是该密钥对此文本的签名"
  ],
  "signature_missing": [
   "No signature by a key that is needed",
   "缺少所需密钥的签名"
  ],
  "usage": [
   "What a person asked for can't be done as asked",
   "无法按所提要求办理"
  ]
 }
}
