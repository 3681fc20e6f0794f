package io.peftj.core.run;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The adapters of a row in the order they were attached; none for the base model itself.
 *
 * @param adapters at most one of them with prefixes
 */
public record Stack(List<ActiveAdapter> adapters) {
    /** The base model alone. */
    public static final Stack BASE = new Stack(List.of());

    /**
     * Checks the order.
     *
     * @throws IllegalArgumentException if an adapter stands twice, or two bring prefixes
     */
    public Stack {
        adapters = List.copyOf(adapters);
        Set<ActiveAdapter> seen = new HashSet<>();
        String prefixed = null;
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
}
