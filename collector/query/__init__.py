"""Query: one function per question, its SQL in `collector/queries/` in a file of the same name.

Pages, their JSON and CSV twins and alerts call the same functions, so all of them show the same p75. Every function
takes the store and a `Question`, stops at the question's watermark and returns typed rows; it blocks, and it raises
`StoreAway` when the engine cannot answer.
"""
