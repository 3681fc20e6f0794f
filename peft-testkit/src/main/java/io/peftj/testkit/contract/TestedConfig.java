package io.peftj.testkit.contract;

import io.peftj.core.adapter.AdapterConfig;
import java.util.List;

/**
 * A configuration of the method under test, with what its author says of it. What is said is tested too.
 *
 * @param name names it in reports
 * @param config the configuration
 * @param startsAsBase whether a new adapter changes nothing
 * @param startsAtRandom whether a new adapter's values depend on the seed
 * @param mergeable whether the adapter can be worked into the base's weights
 * @param flat ends of the names of parameters that the loss does not depend on, such as a key bias, which softmax cancels out
 */
public record TestedConfig(
        String name,
        AdapterConfig config,
        boolean startsAsBase,
        boolean startsAtRandom,
        boolean mergeable,
        List<String> flat) {
    /** Keeps a copy. */
    public TestedConfig {
        flat = List.copyOf(flat);
    }

    /** A configuration like most: its adapters start as the base with random values, can be merged, and every parameter matters. */
    public static TestedConfig of(String name, AdapterConfig config) {
        return new TestedConfig(name, config, true, true, true, List.of());
    }

    /** A new adapter changes the output from the first. */
    public TestedConfig startingElsewhere() {
        return new TestedConfig(name, config, false, startsAtRandom, mergeable, flat);
    }

    /** All new adapters are alike. */
    public TestedConfig startingFixed() {
        return new TestedConfig(name, config, startsAsBase, false, mergeable, flat);
    }

    /** No weights can hold what the adapter does. */
    public TestedConfig unmergeable() {
        return new TestedConfig(name, config, startsAsBase, startsAtRandom, false, flat);
    }

    /** Parameters whose gradients are zero at all values. */
    public TestedConfig flatIn(String... endsOfNames) {
        return new TestedConfig(name, config, startsAsBase, startsAtRandom, mergeable, List.of(endsOfNames));
    }

    boolean isFlat(String parameter) {
        return flat.stream().anyMatch(parameter::endsWith);
    }
}
