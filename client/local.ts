/** Where the contracts are on a chain of your own. For Node: address books are files. */
import { type AddressBook, localBookPath, readAddressBook } from "../deploy/addresses.ts";

export {
  type AddressBook,
  AddressBookError,
  type ContractName,
  localBookPath,
  readAddressBook,
} from "../deploy/addresses.ts";

/**
 * The contracts of the chain that `npm start` runs.
 * @param dataDir Its data folder: `.neuroswarm` in the clone, unless DATA_DIR says another.
 */
export function localAddresses(dataDir: string, chainId = 31_337): AddressBook["contracts"] {
  const path = localBookPath(dataDir, chainId);
  const book = readAddressBook(path);
  if (book === undefined) throw new Error(`There is no ${path}: \`npm start\` writes it when it deploys.`);
  return book.contracts;
}
