"""LangChain and LlamaIndex against the app whose address is given; a line for each method."""

from __future__ import annotations

import sys
from importlib.metadata import version

from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from llama_index.core.llms import ChatMessage
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike

BASE = f"{sys.argv[1]}/v1"
CHAT, VECTORS = "SmolLM2-135M-Instruct", "all-MiniLM-L6-v2"
TEXT = "Count: one, two,"


def works(package: str, method: str) -> None:
    print(package, version(package), f"\t{method}\tyes")


def langchain() -> None:
    package = "langchain-openai"
    given = {"base_url": BASE, "api_key": "none", "temperature": 0, "max_retries": 0}
    chat = ChatOpenAI(model=CHAT, max_completion_tokens=6, **given)
    whole = chat.invoke(TEXT).content
    assert whole
    works(package, "ChatOpenAI.invoke")
    assert "".join(chunk.content for chunk in chat.stream(TEXT)) == whole
    works(package, "ChatOpenAI.stream")
    assert [one.content for one in chat.batch([TEXT, TEXT])] == [whole, whole]
    works(package, "ChatOpenAI.batch")
    assert OpenAI(model=CHAT, max_tokens=4, **given).invoke("One, two,")
    works(package, "OpenAI.invoke")
    vectors = OpenAIEmbeddings(model=VECTORS, base_url=BASE, api_key="none", check_embedding_ctx_length=False)
    assert [len(one) for one in vectors.embed_documents(["A cat.", "A bus."])] == [384, 384]
    works(package, "OpenAIEmbeddings.embed_documents")


def llama_index() -> None:
    package = "llama-index-llms-openai-like"
    model = OpenAILike(
        model=CHAT, api_base=BASE, api_key="none", is_chat_model=True, max_tokens=6, temperature=0
    )
    whole = model.complete(TEXT).text
    assert whole
    works(package, "complete")
    assert [*model.stream_complete(TEXT)][-1].text == whole
    works(package, "stream_complete")
    assert model.chat([ChatMessage(role="user", content=TEXT)]).message.content == whole
    works(package, "chat")
    vectors = OpenAILikeEmbedding(model_name=VECTORS, api_base=BASE, api_key="none")
    assert len(vectors.get_text_embedding("A cat.")) == 384
    works("llama-index-embeddings-openai-like", "get_text_embedding")


langchain()
llama_index()
