// Generated from the contracts by `npm run build:types`. Changes made here are lost.
// contracts/examples/AskOnChain.sol
export const abi = [
  {"type":"constructor","inputs":[{"name":"router","type":"address","internalType":"address"},{"name":"credits","type":"address","internalType":"address"},{"name":"nsd","type":"address","internalType":"address"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"ROUTER","inputs":[],"outputs":[{"name":"","type":"address","internalType":"contract IInferenceRouter"}],"stateMutability":"view"},
  {"type":"function","name":"answers","inputs":[{"name":"requestId","type":"bytes32","internalType":"bytes32"}],"outputs":[{"name":"","type":"string","internalType":"string"}],"stateMutability":"view"},
  {"type":"function","name":"ask","inputs":[{"name":"model","type":"bytes32","internalType":"bytes32"},{"name":"question","type":"string","internalType":"string"}],"outputs":[{"name":"id","type":"bytes32","internalType":"bytes32"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"onInferenceResult","inputs":[{"name":"requestId","type":"bytes32","internalType":"bytes32"},{"name":"","type":"uint8","internalType":"enum RequestStatus"},{"name":"result","type":"bytes","internalType":"bytes"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"event","name":"Answered","inputs":[{"name":"requestId","type":"bytes32","indexed":true,"internalType":"bytes32"},{"name":"answer","type":"string","indexed":false,"internalType":"string"}],"anonymous":false},
  {"type":"event","name":"Asked","inputs":[{"name":"requestId","type":"bytes32","indexed":true,"internalType":"bytes32"},{"name":"question","type":"string","indexed":false,"internalType":"string"}],"anonymous":false},
] as const;
