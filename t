day,requests,prompt_tokens,cached_tokens,cache_write_tokens,completion_tokens,reasoning_tokens,total_tokens,cost_usd,unpriced_requests,free_requests,estimated_requests
2026-11-22,14,13483,4715,0,4503,4000,17986,0.1069647,0,2,2
