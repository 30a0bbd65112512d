"""One small sound file of usage in each format, as the mapping of `usage_formats` maps it."""

import json

ALLOCATION = {
    "properties": {"cluster": "heron", "node": "n1", "namespace": "birch", "pod": "p", "container": "c"},
    "start": "2026-03-10T08:00:00Z",
    "end": "2026-03-10T09:00:00Z",
    "gpuCount": 2,
    "gpuHours": 2.0,
}
POD = {
    "kind": "Pod",
    "metadata": {"namespace": "birch", "name": "p", "uid": "u"},
    "spec": {"containers": [{"resources": {"limits": {"a100": 1, "nvidia.com/gpu": "1"}}}]},
    "status": {
        "phase": "Succeeded",
        "conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-03-10T08:00:00Z"}],
        "containerStatuses": [{"state": {"terminated": {"finishedAt": "2026-03-10T09:00:00Z"}}}],
    },
}
SERIES = {
    "metric": {"__name__": "DCGM_FI_DEV_GPU_UTIL", "UUID": "G", "namespace": "birch", "pod": "p", "modelName": "a100"},
    "values": [[1773446400, "1"], [1773446460, "2"]],
}
FOCUS = (
    "ChargeCategory,ChargeClass,ChargePeriodStart,ChargePeriodEnd,ConsumedQuantity,ConsumedUnit,ResourceId,SkuId,SubAccountId\n"
    'Usage,,2026-03-10T08:00:00Z,2026-03-10T09:00:00Z,0.5,Hours,"i-1",a100,birch\n'
)
PLAIN = "account,job,gpu,gpus,from,to\nbirch,j-1,a100,8,2026-03-10T08:00:00Z,2026-03-10T09:00:00Z\n"
SHEET = "客户,订单号,型号,卡数,开始,结束\nbirch,o-1,a100,8,2026/3/10 8:00,2026/3/10 9:00\n合计,,,8,,\n"
OPENB = "name,num_gpu,gpu_milli,gpu_spec,qos,scheduled_time,deletion_time\np-1,1,500,a100,birch,0,60\n"
PHILLY = "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 07:01:55,66.0,1,66.0,birch\n"
SAMPLES: dict[str, bytes] = {
    "opencost": json.dumps({"code": 200, "data": [{"a": ALLOCATION}]}).encode(),
    "kubernetes-pods": json.dumps({"kind": "List", "items": [POD]}).encode(),
    "prometheus": json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [SERIES]}}).encode(),
    "focus": FOCUS.encode(),
    "csv": PLAIN.encode(),
    "sheet": SHEET.encode("gb18030"),
    "openb": OPENB.encode(),
    "philly": PHILLY.encode(),
}
