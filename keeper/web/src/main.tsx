import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { queries } from "./api/queries.ts";
import { connectLive } from "./live/socket.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/chat.css";
import "./styles/composer.css";
import "./styles/receipt.css";
import "./styles/panels.css";
import "./styles/places.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

connectLive();
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
