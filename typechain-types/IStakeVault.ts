// Generated from the contracts by `npm run build:types`. Changes made here are lost.
// contracts/interfaces/IStakeVault.sol
export const abi = [
  {"type":"function","name":"REGISTRY","inputs":[],"outputs":[{"name":"","type":"address","internalType":"address"}],"stateMutability":"view"},
  {"type":"function","name":"TOKEN","inputs":[],"outputs":[{"name":"","type":"address","internalType":"address"}],"stateMutability":"view"},
  {"type":"function","name":"delegate","inputs":[{"name":"delegatee","type":"address","internalType":"address"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"send","inputs":[{"name":"to","type":"address","internalType":"address"},{"name":"amount","type":"uint256","internalType":"uint256"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"error","name":"VaultOnlyRegistry","inputs":[{"name":"sender","type":"address","internalType":"address"},{"name":"registry","type":"address","internalType":"address"}]},
] as const;
