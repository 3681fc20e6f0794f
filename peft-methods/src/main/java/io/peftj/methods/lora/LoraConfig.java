package io.peftj.methods.lora;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterConfigBuilder;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.site.Targets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Settings of LoRA, under the meanings that PEFT gives them.
 *
 * @param rank inner width of the low-rank product, at least 1
 * @param alpha the delta is scaled by alpha / rank
 * @param dropout probability with which features are dropped before the first matrix in training, in [0, 1)
 * @param targets the layers it acts on; null for those that make queries and values
 * @param exclude layers left out though targeted; null for none
 * @param rankPattern other ranks for modules whose names end in a regular expression; the first match counts
 * @param alphaPattern other alphas, likewise
 * @param layersToTransform numbers of the layers it acts in; empty for all
 * @param layersPattern regular expressions for the name of the list that layers are counted in, such as "layers"; empty for the usual one
 * @param bias which biases are trained too
 * @param init how the matrices start
 * @param dora whether the rows of the sum get trained lengths (arXiv 2402.09353)
 * @param rankStabilised whether the delta is scaled by alpha / √rank instead (arXiv 2312.03732)
 * @param fanInFanOut what the file says of the base's layout, which PEFT has to be told: true for GPT-2. It changes nothing here
 * @param trainableTokens tokens whose embeddings are trained too; null for none
 * @param modulesToSave modules trained and saved whole
 * @param taskType what the adapted model is for; null for nothing PEFT has a name for
 */
public record LoraConfig(
        int rank,
        double alpha,
        double dropout,
        @Nullable Targets targets,
        @Nullable Targets exclude,
        Map<String, Integer> rankPattern,
        Map<String, Double> alphaPattern,
        List<Integer> layersToTransform,
        List<String> layersPattern,
        LoraBias bias,
        LoraInit init,
        boolean dora,
        boolean rankStabilised,
        boolean fanInFanOut,
        @Nullable TrainableTokens trainableTokens,
        List<String> modulesToSave,
        @Nullable TaskType taskType)
        implements AdapterConfig {
    /**
     * Checks all values.
     *
     * @throws InvalidConfigException if one is out of its range or contradicts another
     */
    public LoraConfig {
        rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
        layersToTransform = List.copyOf(layersToTransform);
        layersPattern = List.copyOf(layersPattern);
        modulesToSave = List.copyOf(modulesToSave);
        checkRank("r", rank);
        checkAlpha("lora_alpha", alpha);
        if (!(dropout >= 0 && dropout < 1)) {
            throw new InvalidConfigException("lora_dropout: expected a probability of at least 0 and below 1, found "
                    + dropout + "; 0.05 is usual");
        }
        rankPattern.forEach((key, value) -> checkRank("rank_pattern, \"" + key + "\"", value));
        alphaPattern.forEach((key, value) -> checkAlpha("alpha_pattern, \"" + key + "\"", value));
        if (targets instanceof Targets.Regex && !layersToTransform.isEmpty()) {
            throw new InvalidConfigException(
                    "layers_to_transform: expected none where target_modules is a regular" + " expression, found "
                            + layersToTransform + "; name the layers in the expression, or give a list of names");
        }
        if (!layersPattern.isEmpty() && layersToTransform.isEmpty()) {
            throw new InvalidConfigException("layers_pattern: expected none without layers_to_transform, found "
                    + layersPattern + "; give the layers' numbers too");
        }
        layersPattern.forEach(LoraConfig::checkExpression);
        new NamePatterns<>("rank_pattern", rankPattern);
        new NamePatterns<>("alpha_pattern", alphaPattern);
    }

    /** PEFT takes what PiSSA and OLoRA start from out of the base, and its files' copies lack it. */
    @Override
    public boolean copiesBaseUnchanged() {
        return !init.isOfBase();
    }

    @Override
    public LoraConfig withTaskType(TaskType type) {
        return toBuilder().taskType(type).build();
    }

    /** The same scales at twice the ranks, from the usual start. */
    LoraConfig doubled() {
        double factor = rankStabilised ? Math.sqrt(2) : 2;
        Map<String, Integer> ranks = new LinkedHashMap<>();
        rankPattern.forEach((key, value) -> ranks.put(key, 2 * value));
        Map<String, Double> alphas = new LinkedHashMap<>();
        alphaPattern.forEach((key, value) -> alphas.put(key, factor * value));
        return toBuilder()
                .rank(2 * rank)
                .alpha(factor * alpha)
                .rankPattern(ranks)
                .alphaPattern(alphas)
                .init(LoraInit.ZERO_DELTA)
                .build();
    }

    private static void checkExpression(String pattern) {
        try {
            Pattern.compile(pattern);
        } catch (PatternSyntaxException e) {
            throw new InvalidConfigException(
                    "layers_pattern has \"" + pattern + "\", which is no regular expression: " + e.getDescription()
                            + "; give the name of the list of layers, such as \"layers\"",
                    e);
        }
    }

    private static void checkRank(String key, int rank) {
        if (rank < 1) {
            throw new InvalidConfigException(
                    key + ": expected a rank of at least 1, found " + rank + "; 4 to 64 are usual");
        }
    }

    private static void checkAlpha(String key, double alpha) {
        if (!(alpha > 0 && Double.isFinite(alpha))) {
            throw new InvalidConfigException(
                    key + ": expected a finite number above 0, found " + alpha + "; once or twice the rank is usual");
        }
    }

    /** Starts with rank 8, an alpha of twice the rank, no dropout, and queries and values as targets. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that starts with these settings. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** Collects the settings; {@link #build()} checks them. */
    public static final class Builder extends AdapterConfigBuilder<Builder> {
        private int rank = 8;
        private @Nullable Double alpha;
        private double dropout;
        private @Nullable Targets targets;
        private @Nullable Targets exclude;
        private Map<String, Integer> rankPattern = Map.of();
        private Map<String, Double> alphaPattern = Map.of();
        private List<Integer> layersToTransform = List.of();
        private List<String> layersPattern = List.of();
        private LoraBias bias = LoraBias.NONE;
        private LoraInit init = LoraInit.ZERO_DELTA;
        private boolean dora;
        private boolean rankStabilised;
        private boolean fanInFanOut;
        private @Nullable TrainableTokens trainableTokens;

        private Builder() {}

        private Builder(LoraConfig config) {
            super(config);
            rank = config.rank;
            alpha = config.alpha;
            dropout = config.dropout;
            targets = config.targets;
            exclude = config.exclude;
            rankPattern = config.rankPattern;
            alphaPattern = config.alphaPattern;
            layersToTransform = config.layersToTransform;
            layersPattern = config.layersPattern;
            bias = config.bias;
            init = config.init;
            dora = config.dora;
            rankStabilised = config.rankStabilised;
            fanInFanOut = config.fanInFanOut;
            trainableTokens = config.trainableTokens;
        }

        /** Inner width of the low-rank product. */
        public Builder rank(int value) {
            rank = value;
            return this;
        }

        /** Numerator of the scale; twice the rank unless set. */
        public Builder alpha(double value) {
            alpha = value;
            return this;
        }

        /** Probability of dropping a feature in training. */
        public Builder dropout(double value) {
            dropout = value;
            return this;
        }

        /** Ends of the names of the layers to act on, such as "q_proj". */
        public Builder targets(String... names) {
            return targets(Targets.names(names));
        }

        /** The layers to act on; null for those that make queries and values. */
        public Builder targets(@Nullable Targets value) {
            targets = value;
            return this;
        }

        /** Layers to leave out. */
        public Builder exclude(@Nullable Targets value) {
            exclude = value;
            return this;
        }

        /** Ranks by regular expression; the map's order is kept. */
        public Builder rankPattern(Map<String, Integer> value) {
            rankPattern = value;
            return this;
        }

        /** Alphas by regular expression; the map's order is kept. */
        public Builder alphaPattern(Map<String, Double> value) {
            alphaPattern = value;
            return this;
        }

        /** Numbers of the layers to act in. */
        public Builder layersToTransform(List<Integer> value) {
            layersToTransform = value;
            return this;
        }

        /** Names of the list that layers are counted in, such as "layers". */
        public Builder layersPattern(List<String> value) {
            layersPattern = value;
            return this;
        }

        /** Which biases are trained too. */
        public Builder bias(LoraBias value) {
            bias = value;
            return this;
        }

        /** How the matrices start. */
        public Builder init(LoraInit value) {
            init = value;
            return this;
        }

        /** Trains the lengths of the sum's rows too, which is DoRA. */
        public Builder dora(boolean value) {
            dora = value;
            return this;
        }

        /** Scales by alpha / √rank. */
        public Builder rankStabilised(boolean value) {
            rankStabilised = value;
            return this;
        }

        /** What PEFT is told of the base's layout. */
        Builder fanInFanOut(boolean value) {
            fanInFanOut = value;
            return this;
        }

        /** Tokens whose embeddings are trained too, such as ones the base model never saw. */
        public Builder trainableTokens(Integer... ids) {
            return trainableTokens(new TrainableTokens.OfEmbeddings(List.of(ids)));
        }

        /** Tokens whose embeddings are trained too; null for none. */
        public Builder trainableTokens(@Nullable TrainableTokens value) {
            trainableTokens = value;
            return this;
        }

        /**
         * Checks and makes the configuration.
         *
         * @throws InvalidConfigException if a value is out of its range or contradicts another
         */
        public LoraConfig build() {
            return new LoraConfig(
                    rank,
                    alpha == null ? 2.0 * rank : alpha,
                    dropout,
                    targets,
                    exclude,
                    rankPattern,
                    alphaPattern,
                    layersToTransform,
                    layersPattern,
                    bias,
                    init,
                    dora,
                    rankStabilised,
                    fanInFanOut,
                    trainableTokens,
                    modulesToSave(),
                    taskType());
        }
    }
}
