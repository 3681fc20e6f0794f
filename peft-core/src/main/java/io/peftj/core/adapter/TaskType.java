package io.peftj.core.adapter;

import java.util.List;

/** PEFT's task types: what the adapted model is for. */
public enum TaskType {
    CAUSAL_LM,
    SEQ_CLS,
    TOKEN_CLS,
    QUESTION_ANS,
    SEQ_2_SEQ_LM,
    FEATURE_EXTRACTION;

    private static final List<TaskType> SERVED = List.of(CAUSAL_LM, SEQ_CLS, FEATURE_EXTRACTION);

    /** Whether models here can do it; adapters for others are read as files, and fit no model. */
    public boolean isServed() {
        return SERVED.contains(this);
    }

    /** Those that models here can do. */
    static List<TaskType> served() {
        return SERVED;
    }
}
