// Generated from the contracts by `npm run build:types`. Changes made here are lost.
// contracts/interfaces/IInferenceRouter.sol
export const abi = [
  {"type":"function","name":"credit","inputs":[{"name":"user","type":"address","internalType":"address"},{"name":"amount","type":"uint256","internalType":"uint256"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"debit","inputs":[{"name":"user","type":"address","internalType":"address"},{"name":"amount","type":"uint256","internalType":"uint256"}],"outputs":[{"name":"taken","type":"uint256","internalType":"uint256"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"enlist","inputs":[{"name":"id","type":"uint256","internalType":"uint256"},{"name":"operator","type":"address","internalType":"address"},{"name":"stake","type":"uint256","internalType":"uint256"},{"name":"models","type":"bytes32[]","internalType":"bytes32[]"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"restake","inputs":[{"name":"id","type":"uint256","internalType":"uint256"},{"name":"previous","type":"uint256","internalType":"uint256"},{"name":"stake","type":"uint256","internalType":"uint256"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"rotate","inputs":[{"name":"id","type":"uint256","internalType":"uint256"},{"name":"operator","type":"address","internalType":"address"}],"outputs":[{"name":"previous","type":"address","internalType":"address"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"serve","inputs":[{"name":"id","type":"uint256","internalType":"uint256"},{"name":"stake","type":"uint256","internalType":"uint256"},{"name":"models","type":"bytes32[]","internalType":"bytes32[]"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"setCallbackGasPrice","inputs":[{"name":"price","type":"uint256","internalType":"uint256"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"setClosed","inputs":[{"name":"id","type":"uint256","internalType":"uint256"},{"name":"closed","type":"bool","internalType":"bool"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"setOffer","inputs":[{"name":"model","type":"bytes32","internalType":"bytes32"},{"name":"offer","type":"uint256","internalType":"Offer"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"sweep","inputs":[{"name":"validator","type":"uint256","internalType":"uint256"}],"outputs":[{"name":"validatorLeg","type":"uint256","internalType":"uint256"},{"name":"treasuryLeg","type":"uint256","internalType":"uint256"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"takeAccrued","inputs":[{"name":"user","type":"address","internalType":"address"},{"name":"most","type":"uint256","internalType":"uint256"}],"outputs":[{"name":"chats","type":"uint256","internalType":"uint256"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"takeUnretired","inputs":[],"outputs":[{"name":"amount","type":"uint256","internalType":"uint256"}],"stateMutability":"nonpayable"},
] as const;
