// Generated from the contracts by `npm run build:types`. Changes made here are lost.
// contracts/interfaces/IModelReward.sol
export const abi = [
  {"type":"function","name":"REWARD_PER_CHAT","inputs":[],"outputs":[{"name":"","type":"uint256","internalType":"uint256"}],"stateMutability":"view"},
  {"type":"function","name":"claim","inputs":[{"name":"user","type":"address","internalType":"address"}],"outputs":[{"name":"chats","type":"uint256","internalType":"uint256"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"isInferencer","inputs":[{"name":"user","type":"address","internalType":"address"}],"outputs":[{"name":"","type":"bool","internalType":"bool"}],"stateMutability":"view"},
  {"type":"function","name":"setPrivate","inputs":[{"name":"isPrivate","type":"bool","internalType":"bool"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"function","name":"statsOf","inputs":[{"name":"user","type":"address","internalType":"address"}],"outputs":[{"name":"interactions","type":"uint256","internalType":"uint256"},{"name":"totalRewards","type":"uint256","internalType":"uint256"},{"name":"lastInteraction","type":"uint256","internalType":"uint256"},{"name":"isPrivate","type":"bool","internalType":"bool"}],"stateMutability":"view"},
  {"type":"event","name":"PrivacySet","inputs":[{"name":"user","type":"address","indexed":true,"internalType":"address"},{"name":"isPrivate","type":"bool","indexed":false,"internalType":"bool"}],"anonymous":false},
  {"type":"event","name":"RewardClaimed","inputs":[{"name":"user","type":"address","indexed":true,"internalType":"address"},{"name":"chats","type":"uint256","indexed":false,"internalType":"uint256"}],"anonymous":false},
  {"type":"error","name":"RewardCapReached","inputs":[{"name":"user","type":"address","internalType":"address"},{"name":"chats","type":"uint256","internalType":"uint256"}]},
  {"type":"error","name":"RewardNothingAccrued","inputs":[{"name":"user","type":"address","internalType":"address"}]},
] as const;
