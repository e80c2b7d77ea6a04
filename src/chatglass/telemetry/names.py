"""Names of spans, attributes and metrics: the one place where they are spelled.

They follow the OpenTelemetry GenAI semantic conventions 1.41 (status: development), the last that
were released with the general ones: spans and metrics of clients, agents and tools, and the
attributes that an MCP call adds to the span of its tool. What they have no name for begins with
`chatglass.`.
"""

from __future__ import annotations

from typing import Final

CONVENTIONS: Final = "1.41.0"
SCHEMA_URL: Final = f"https://opentelemetry.io/schemas/{CONVENTIONS}"
SCOPE: Final = "chatglass"

# Operations; the first word of a span's name.
CHAT: Final = "chat"
INVOKE_AGENT: Final = "invoke_agent"
EXECUTE_TOOL: Final = "execute_tool"
AGENT: Final = "chatglass"

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
CONVERSATION: Final = "gen_ai.conversation.id"
AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_VERSION: Final = "gen_ai.agent.version"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
ERROR_TYPE: Final = "error.type"
MCP_METHOD: Final = "mcp.method.name"
MCP_TOOLS_CALL: Final = "tools/call"

# Content: opt-in.
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"

# Metrics, with the bounds of their buckets that the conventions advise.
TOKEN_USAGE: Final = "gen_ai.client.token.usage"
TOKEN_BUCKETS: Final = tuple(4.0**power for power in range(14))
OPERATION_DURATION: Final = "gen_ai.client.operation.duration"
DURATION_BUCKETS: Final = tuple(0.01 * 2**power for power in range(14))
TOKEN_TYPE: Final = "gen_ai.token.type"

# Our own.
TURN_STATUS: Final = "chatglass.turn.status"
PURPOSE: Final = "chatglass.request.purpose"
REQUEST_STATUS: Final = "chatglass.request.status"
CALL_STATUS: Final = "chatglass.tool.status"
DECISION: Final = "chatglass.tool.decision"
DECIDED_BY: Final = "chatglass.tool.decided_by"
MCP_SERVER: Final = "chatglass.mcp.server"
USAGE_SOURCE: Final = "chatglass.usage.source"
COST: Final = "chatglass.cost.usd"
PRICE_SOURCE: Final = "chatglass.cost.source"
RETRY_EVENT: Final = "chatglass.retry"
RETRY_ATTEMPT: Final = "chatglass.retry.attempt"
RETRY_SECONDS: Final = "chatglass.retry.seconds"
COMPACTED_EVENT: Final = "chatglass.compacted"
STRATEGY: Final = "chatglass.compaction.strategy"
TOKENS_BEFORE: Final = "chatglass.compaction.tokens_before"
TOKENS_AFTER: Final = "chatglass.compaction.tokens_after"
