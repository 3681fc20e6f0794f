package io.peftj.core.adapter;

import io.peftj.core.site.OutputRange;
import io.peftj.core.site.Site;
import io.peftj.core.site.Sublayer;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One thing an adapter does at one place of a model, told by kind so that the runner can order, stack and merge it.
 *
 * <p>At a site the order is: substitutions, input scalings, the base product without its bias, deltas (which read the scaled input), the bias, output
 * scalings; within a kind the order in which adapters are attached. Parameters are named by their effective names.
 */
public sealed interface Contribution {
    /** The site's input is multiplied by a vector [in]. */
    record InputScale(Site site, String scale) implements Contribution {}

    /** A site's outputs, bias included, are multiplied by a vector [outputs in the range]. */
    record OutputScale(OutputRange outputs, String scale) implements Contribution {
        /** Scales all outputs of a site. */
        public OutputScale(Site site, String scale) {
            this(OutputRange.all(site), scale);
        }

        /** The site. */
        public Site site() {
            return outputs.site();
        }
    }

    /**
     * Something is added to a site's product.
     *
     * @param outputs what it is added to
     * @param formula what is added [places, outputs in the range]
     * @param parameters the formula's parameters, in its order
     * @param dropout the probability with which the formula's dropout drops in training
     */
    record Delta(OutputRange outputs, DeltaFormula formula, List<String> parameters, double dropout)
            implements Contribution {
        /** Adds to all outputs of a site. */
        public Delta(Site site, DeltaFormula formula, List<String> parameters, double dropout) {
            this(OutputRange.all(site), formula, parameters, dropout);
        }

        /** The site. */
        public Site site() {
            return outputs.site();
        }
    }

    /**
     * Something is added to a sublayer's output before the residual stream takes it up. Several in a row's stack act one after another: what is added
     * in series reads the output with all that was added before.
     *
     * @param layer the layer
     * @param sublayer its half
     * @param reads what the formula reads
     * @param formula what is added [tokens, width]
     * @param parameters the formula's parameters, in its order
     */
    record SublayerDelta(int layer, Sublayer sublayer, Reads reads, SublayerFormula formula, List<String> parameters)
            implements Contribution {
        /** Keeps a copy. */
        public SublayerDelta {
            parameters = List.copyOf(parameters);
        }
    }

    /** Where a {@link SublayerDelta} stands. */
    enum Reads {
        /** Beside the sublayer: it reads what the sublayer reads, behind the norm where one stands before it. */
        INPUT,
        /** Behind the sublayer, in series: it reads what the sublayer gives. */
        OUTPUT
    }

    /**
     * Every query of a layer sees more keys and values [length, kv heads, head dim], which stand before the row.
     *
     * @param layer the layer
     */
    record KeyValues(int layer, String keys, String values) implements Contribution {}

    /**
     * Vectors [count, width] stand before a row's token embeddings and are computed with like tokens of the row, its adapters at the sites included; they
     * have no id, are never labelled and never part of a mean.
     *
     * @param count how many
     * @param embeddings the effective parameter
     */
    record VirtualTokens(int count, String embeddings) implements Contribution {}

    /**
     * A parameter of the base model is replaced.
     *
     * @param baseParameter its name in the base model, such as "classifier.weight"
     * @param replacement the effective parameter, of the same shape
     * @param transposed whether the effective parameter is a site's matrix as [in, out]
     */
    record Substitute(String baseParameter, String replacement, boolean transposed) implements Contribution {
        /** A replacement of the base's own shape. */
        public Substitute(String baseParameter, String replacement) {
            this(baseParameter, replacement, false);
        }
    }

    /**
     * Rows of a matrix of the base model are replaced: the embeddings of some tokens, or the logits' weights of these.
     *
     * @param baseParameter the matrix's name in the base model
     * @param rows their numbers, each once
     * @param replacement the effective parameter [rows, width], in the numbers' order
     */
    record SubstituteRows(String baseParameter, List<Integer> rows, String replacement) implements Contribution {
        /** Keeps a copy. */
        public SubstituteRows {
            rows = List.copyOf(rows);
        }
    }

    /**
     * Something is added to the rows [width] that are looked up in an embedding: table[:, row]ᵀ · factorᵀ.
     *
     * @param embedding the embedding
     * @param table the effective parameter [rank, rows]
     * @param factor the effective parameter [width, rank]
     */
    record RowDelta(Site embedding, String table, String factor) implements Contribution {}

    /**
     * The residual stream behind a layer is changed at some places of each row's prompt: when the prompt is read, and never again.
     *
     * @param layer the layer
     * @param places which places of the prompt
     * @param formula what is added there [places, width]
     * @param parameters the formula's parameters, in its order
     * @param dropout the probability with which elements of the changed states are dropped in training
     */
    record PromptEdit(int layer, PromptPlaces places, EditFormula formula, List<String> parameters, double dropout)
            implements Contribution {
        /** Keeps a copy. */
        public PromptEdit {
            parameters = List.copyOf(parameters);
        }
    }

    /**
     * Outputs of a layer's sites, biases included, are multiplied at all of a row's places by vectors that are made once a row, of the layer's input at
     * the row's prompt.
     *
     * @param layer the layer
     * @param outputs what is multiplied, in the order in which the formula makes it
     * @param formula makes the vectors
     * @param parameters the formula's parameters, in its order
     */
    record PromptScale(int layer, List<OutputRange> outputs, PromptFormula formula, List<String> parameters)
            implements Contribution {
        /** Keeps copies. */
        public PromptScale {
            outputs = List.copyOf(outputs);
            parameters = List.copyOf(parameters);
        }
    }

    /** What a {@link PromptEdit} adds. Equal formulas are computed together, as those of {@link DeltaFormula} are. */
    interface EditFormula {
        /** The change [places, width] in the parameters' format. */
        Tensor apply(EditInput input);

        /** As {@link DeltaFormula#paddedAxis}. */
        int paddedAxis(int parameter);
    }

    /** What an edit's formula sees. */
    interface EditInput {
        /** The states at the places that are edited [places, width], in the parameters' format. */
        Tensor states();

        /** An effective parameter, stacked [slots, …] where {@link #segments()} is there. */
        Tensor parameter(int number);

        /** Which slot acts on which places; null if one adapter acts everywhere. */
        @Nullable
        Segments segments();
    }

    /** What makes the vectors of a {@link PromptScale}. Equal formulas are computed together, as those of {@link DeltaFormula} are. */
    interface PromptFormula {
        /** The vectors, one after another [rows, size of all outputs], in the parameters' format. */
        Tensor apply(PromptInput input);

        /** What a nonlinearity inside is given that behaves as it is meant to in a range only; null if there is none. For those who watch over it. */
        default @Nullable Ranged ranged(PromptInput input) {
            return null;
        }

        /** As {@link DeltaFormula#paddedAxis}. */
        int paddedAxis(int parameter);
    }

    /**
     * Values that should stay within a range.
     *
     * @param values [rows, n]
     * @param bound the largest magnitude of the range
     */
    record Ranged(Tensor values, double bound) {}

    /** What a prompt's formula sees: the layer's input at the prompts of some rows, in the parameters' format. */
    interface PromptInput {
        /** At each row's first token [rows, width]. */
        Tensor first();

        /** At each prompt's last token [rows, width]. */
        Tensor last();

        /** At all tokens of the prompts, one row after another [tokens, width]. */
        Tensor tokens();

        /** Which of {@link #tokens()} belong to which row: a segment a row. */
        Segments rows();

        /** An effective parameter, stacked [slots, …] where {@link #segments()} is there. */
        Tensor parameter(int number);

        /** Which slot acts on which rows; null if one adapter acts on all. */
        @Nullable
        Segments segments();

        /** Which slot acts on which of {@link #tokens()}; null if one adapter acts on all. */
        @Nullable
        Segments tokenSegments();
    }

    /**
     * What a {@link Delta} adds. One instance a method (a constant), or equal ones: contributions with equal formulas are computed together, their
     * parameters stacked. It must not tell one adapter from many: where several act, parameters have a leading axis of slots.
     */
    interface DeltaFormula {
        /** The delta [places, outputs] in the input's format. */
        Tensor apply(DeltaInput input);

        /**
         * The axis of a parameter that may be padded with zeros without changing the delta, so that adapters of different sizes stack; −1 for none.
         *
         * @param parameter its number in the contribution's list
         */
        int paddedAxis(int parameter);

        /**
         * The change of the site's matrix [outputs, in] that this delta is, from unstacked parameters.
         *
         * @param matrix the site's matrix as it is without deltas [outputs, in], single precision
         * @throws io.peftj.core.PeftException if the delta is no linear map of the input
         */
        Tensor change(List<Tensor> parameters, Tensor matrix);
    }

    /** What a {@link SublayerDelta} adds; as with {@link DeltaFormula}, equal ones are computed together and cannot tell one adapter from many. */
    interface SublayerFormula {
        /** The delta [tokens, width] in the input's format, and zero wherever no slot acts. */
        Tensor apply(SublayerInput input);

        /**
         * The axis of a parameter that may be padded with zeros without changing the delta; −1 for none.
         *
         * @param parameter its number in the contribution's list
         */
        int paddedAxis(int parameter);
    }

    /** What a sublayer's formula sees. */
    interface SublayerInput {
        /** What it reads [tokens, width]. */
        Tensor x();

        /** An effective parameter, stacked [slots, …] where {@link #segments()} is there. */
        Tensor parameter(int number);

        /** Which slot acts where; null if one adapter acts everywhere. */
        @Nullable
        Segments segments();
    }

    /** What a formula sees. */
    interface DeltaInput {
        /** The site's scaled input [places, in]. */
        Tensor x();

        /** The frozen product, without bias, of an input like {@link #x()} [places, outputs]; of x itself it is computed already. */
        Tensor product(Tensor input);

        /** An effective parameter, stacked [slots, …] where {@link #segments()} is there. */
        Tensor parameter(int number);

        /** Which slot acts where; null if one adapter acts everywhere. */
        @Nullable
        Segments segments();

        /** The formula's dropout; null for none. */
        @Nullable
        Dropout dropout();
    }
}
