package io.peftj.djl.backbone.bert;

import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.io.ConfigReader;

/**
 * RoBERTa (arXiv 1907.11692) and XLM-RoBERTa: BERT whose positions count from the padding index + 1, and whose classifier has a hidden layer of its own
 * in the pooler's stead.
 *
 * @param classes "Roberta" or "XLMRoberta"
 */
record Roberta(String classes) implements Member {
    @Override
    public String body() {
        return "roberta";
    }

    @Override
    public int firstPosition(ConfigReader config) {
        return config.optionalInt("pad_token_id", 1) + 1;
    }

    @Override
    public boolean pools() {
        return false;
    }

    @Override
    public boolean opensMaskedLanguageModel() {
        return true;
    }

    @Override
    public HeadSpec head(int classes, int width) {
        return new HeadSpec("classifier", classes, width, true, Pooling.FIRST, true);
    }
}
