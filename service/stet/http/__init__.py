"""The API: routes, problems, paging, the contract."""
