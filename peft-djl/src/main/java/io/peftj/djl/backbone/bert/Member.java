package io.peftj.djl.backbone.bert;

import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.io.ConfigReader;

/** What tells the members of the family apart. The default methods are BERT's own ways; a member names its differences. */
@FunctionalInterface
interface Member {
    /** What the names of its classes at Hugging Face begin with, such as "Bert". */
    String classes();

    /** What the body is called in models with a head. */
    default String body() {
        return "bert";
    }

    /** The row of the position embeddings that a row's first token has. */
    default int firstPosition(ConfigReader config) {
        return 0;
    }

    /** Whether classification goes through the body's pooler, a dense layer and tanh. */
    default boolean pools() {
        return true;
    }

    /** Whether the language model that it was trained as opens for its body: everything else of a classifier then comes from adapters. */
    default boolean opensMaskedLanguageModel() {
        return false;
    }

    /** The classification head. */
    default HeadSpec head(int classes, int width) {
        return new HeadSpec("classifier", classes, width, true, Pooling.FIRST);
    }
}
