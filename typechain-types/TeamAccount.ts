// Generated from the contracts by `npm run build:types`. Changes made here are lost.
// contracts/examples/TeamAccount.sol
export const abi = [
  {"type":"constructor","inputs":[{"name":"router","type":"address","internalType":"address"},{"name":"owner","type":"address","internalType":"address"},{"name":"limit","type":"uint256","internalType":"uint256"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"CREDITS","inputs":[],"outputs":[{"name":"","type":"address","internalType":"contract IModelAccessCredits"}],"stateMutability":"view"},
  {"type":"function","name":"LIMIT","inputs":[],"outputs":[{"name":"","type":"uint256","internalType":"uint256"}],"stateMutability":"view"},
  {"type":"function","name":"NSD","inputs":[],"outputs":[{"name":"","type":"address","internalType":"contract PayerToken"}],"stateMutability":"view"},
  {"type":"function","name":"OWNER","inputs":[],"outputs":[{"name":"","type":"address","internalType":"address"}],"stateMutability":"view"},
  {"type":"function","name":"ROUTER","inputs":[],"outputs":[{"name":"","type":"address","internalType":"contract IInferenceRouter"}],"stateMutability":"view"},
  {"type":"function","name":"announceWithdrawal","inputs":[],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"cancel","inputs":[{"name":"ticket","type":"tuple","internalType":"struct Ticket","components":[{"name":"payer","type":"uint256","internalType":"Payer"},{"name":"terms","type":"uint256","internalType":"Terms"},{"name":"promptHash","type":"bytes32","internalType":"bytes32"},{"name":"callback","type":"address","internalType":"address"}]}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"collect","inputs":[{"name":"token","type":"address","internalType":"contract IERC20"},{"name":"to","type":"address","internalType":"address"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"isMember","inputs":[{"name":"account","type":"address","internalType":"address"}],"outputs":[{"name":"","type":"bool","internalType":"bool"}],"stateMutability":"view"},
  {"type":"function","name":"isValidSignature","inputs":[{"name":"hash","type":"bytes32","internalType":"bytes32"},{"name":"signature","type":"bytes","internalType":"bytes"}],"outputs":[{"name":"","type":"bytes4","internalType":"bytes4"}],"stateMutability":"view"},
  {"type":"function","name":"setMember","inputs":[{"name":"account","type":"address","internalType":"address"},{"name":"member","type":"bool","internalType":"bool"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"event","name":"MemberSet","inputs":[{"name":"account","type":"address","indexed":true,"internalType":"address"},{"name":"member","type":"bool","indexed":false,"internalType":"bool"}],"anonymous":false},
  {"type":"error","name":"SafeERC20FailedOperation","inputs":[{"name":"token","type":"address","internalType":"address"}]},
  {"type":"error","name":"TeamOnlyOwner","inputs":[{"name":"sender","type":"address","internalType":"address"}]},
] as const;
