// Generated from the contracts by `npm run build:types`. Changes made here are lost.
// contracts/examples/AskOnChain.sol
export const abi = [
  {"type":"constructor","inputs":[{"name":"router","type":"address","internalType":"address"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"CREDITS","inputs":[],"outputs":[{"name":"","type":"address","internalType":"contract IModelAccessCredits"}],"stateMutability":"view"},
  {"type":"function","name":"NSD","inputs":[],"outputs":[{"name":"","type":"address","internalType":"contract PayerToken"}],"stateMutability":"view"},
  {"type":"function","name":"ROUTER","inputs":[],"outputs":[{"name":"","type":"address","internalType":"contract IInferenceRouter"}],"stateMutability":"view"},
  {"type":"function","name":"acceptRecord","inputs":[{"name":"id","type":"bytes32","internalType":"bytes32"},{"name":"outcome","type":"tuple","internalType":"struct Outcome","components":[{"name":"digest","type":"bytes32","internalType":"bytes32"},{"name":"validator","type":"uint256","internalType":"uint256"},{"name":"tokens","type":"uint256","internalType":"uint256"},{"name":"consumed","type":"uint256","internalType":"uint256"},{"name":"validatorLeg","type":"uint256","internalType":"uint256"},{"name":"treasuryLeg","type":"uint256","internalType":"uint256"},{"name":"record","type":"uint256","internalType":"uint256"}]},{"name":"record","type":"bytes","internalType":"bytes"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"answers","inputs":[{"name":"id","type":"bytes32","internalType":"bytes32"}],"outputs":[{"name":"","type":"string","internalType":"string"}],"stateMutability":"view"},
  {"type":"function","name":"ask","inputs":[{"name":"model","type":"bytes32","internalType":"bytes32"},{"name":"question","type":"string","internalType":"string"}],"outputs":[{"name":"id","type":"bytes32","internalType":"bytes32"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"onInferenceResult","inputs":[{"name":"requestId","type":"bytes32","internalType":"bytes32"},{"name":"","type":"uint8","internalType":"enum RequestStatus"},{"name":"result","type":"bytes","internalType":"bytes"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"reconcile","inputs":[{"name":"id","type":"bytes32","internalType":"bytes32"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"event","name":"Answered","inputs":[{"name":"id","type":"bytes32","indexed":true,"internalType":"bytes32"},{"name":"asker","type":"address","indexed":true,"internalType":"address"},{"name":"answer","type":"string","indexed":false,"internalType":"string"}],"anonymous":false},
  {"type":"event","name":"Asked","inputs":[{"name":"id","type":"bytes32","indexed":true,"internalType":"bytes32"},{"name":"asker","type":"address","indexed":true,"internalType":"address"},{"name":"question","type":"string","indexed":false,"internalType":"string"}],"anonymous":false},
  {"type":"error","name":"ConsumerNotFailed","inputs":[{"name":"id","type":"bytes32","internalType":"bytes32"},{"name":"status","type":"uint8","internalType":"enum RequestStatus"}]},
  {"type":"error","name":"ConsumerOnlyRouter","inputs":[{"name":"sender","type":"address","internalType":"address"}]},
  {"type":"error","name":"ConsumerUnknownRequest","inputs":[{"name":"id","type":"bytes32","internalType":"bytes32"}]},
  {"type":"error","name":"ConsumerWrongRecord","inputs":[{"name":"id","type":"bytes32","internalType":"bytes32"}]},
  {"type":"error","name":"ConsumerZeroContext","inputs":[]},
] as const;
