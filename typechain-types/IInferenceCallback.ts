// Generated from the contracts by `npm run build:types`. Changes made here are lost.
// contracts/interfaces/IInferenceRouter.sol
export const abi = [
  {"type":"function","name":"onInferenceResult","inputs":[{"name":"requestId","type":"bytes32","internalType":"bytes32"},{"name":"status","type":"uint8","internalType":"enum RequestStatus"},{"name":"result","type":"bytes","internalType":"bytes"}],"outputs":[],"stateMutability":"nonpayable"},
] as const;
