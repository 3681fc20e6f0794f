package io.peftj.core.run;

import io.peftj.core.adapter.Contribution.VirtualTokens;
import io.peftj.core.run.Assignment.Entry;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The adapters of a row in the order they were attached; none for the base model itself.
 *
 * @param adapters at most one of them with prefixes, and at most one with virtual tokens
 */
public record Stack(List<ActiveAdapter> adapters) {
    /** The base model alone. */
    public static final Stack BASE = new Stack(List.of());

    /**
     * Checks the order.
     *
     * @throws IllegalArgumentException if an adapter stands twice, or two bring prefixes or virtual tokens
     */
    public Stack {
        adapters = List.copyOf(adapters);
        Set<ActiveAdapter> seen = new HashSet<>();
        String prefixed = null;
        String prompting = null;
        for (ActiveAdapter adapter : adapters) {
            if (!seen.add(adapter)) {
                throw new IllegalArgumentException("adapter " + adapter.name() + " stands twice in a row's stack");
            }
            if (adapter.plan().hasKeyValues()) {
                if (prefixed != null) {
                    throw new IllegalArgumentException("adapters " + prefixed + " and " + adapter.name()
                            + " both bring prefixes; a row's stack can have one such adapter");
                }
                prefixed = adapter.name();
            }
            if (adapter.plan().virtualTokens() != null) {
                if (prompting != null) {
                    throw new IllegalArgumentException("adapters " + prompting + " and " + adapter.name()
                            + " both bring virtual tokens; a row's stack can have one such adapter");
                }
                prompting = adapter.name();
            }
        }
    }

    /** A stack of the given adapters. */
    public static Stack of(ActiveAdapter... adapters) {
        return new Stack(List.of(adapters));
    }

    /** Places the row's tokens are shifted by. */
    public int positionShift() {
        return adapters.stream().mapToInt(a -> a.plan().plan().positionShift()).sum();
    }

    /** Tokens of an adapter's own, which stand before the row's. */
    public int virtualTokens() {
        Entry<VirtualTokens> prompt = prompt();
        return prompt == null ? 0 : prompt.contribution().count();
    }

    /** What its one adapter with virtual tokens puts before the row; null for nothing. */
    @Nullable
    Entry<VirtualTokens> prompt() {
        for (ActiveAdapter adapter : adapters) {
            VirtualTokens own = adapter.plan().virtualTokens();
            if (own != null) {
                return new Entry<>(adapter, own);
            }
        }
        return null;
    }
}
