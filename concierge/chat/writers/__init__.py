"""Writers turn an AnswerBrief into an answer; the house writer needs no language model."""
