package io.peftj.core.adapter;

/** PEFT's task types: what the adapted model is for. */
public enum TaskType {
    CAUSAL_LM,
    SEQ_CLS,
    TOKEN_CLS,
    QUESTION_ANS,
    SEQ_2_SEQ_LM,
    FEATURE_EXTRACTION
}
