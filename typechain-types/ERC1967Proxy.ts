// Generated from the contracts by `npm run build:types`. Changes made here are lost.
// node_modules/@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol
export const abi = [
  {"type":"constructor","inputs":[{"name":"implementation","type":"address","internalType":"address"},{"name":"_data","type":"bytes","internalType":"bytes"}],"stateMutability":"payable"},
  {"type":"fallback","stateMutability":"payable"},
  {"type":"event","name":"Upgraded","inputs":[{"name":"implementation","type":"address","indexed":true,"internalType":"address"}],"anonymous":false},
  {"type":"error","name":"AddressEmptyCode","inputs":[{"name":"target","type":"address","internalType":"address"}]},
  {"type":"error","name":"ERC1967InvalidImplementation","inputs":[{"name":"implementation","type":"address","internalType":"address"}]},
  {"type":"error","name":"ERC1967NonPayable","inputs":[]},
  {"type":"error","name":"ERC1967ProxyUninitialized","inputs":[]},
  {"type":"error","name":"FailedCall","inputs":[]},
] as const;
