package io.peftj.testkit.operation;

import java.util.List;
import java.util.stream.Stream;

/** All cases of all operations. */
public final class Operations {
    private Operations() {}

    /** Every case: broadcasts, equal and ragged rows, shared, missing and empty slots, several head dimensions, views. */
    public static List<Operation> all() {
        return Stream.of(
                        StructureOperations.all(),
                        ElementwiseOperations.all(),
                        ProductOperations.all(),
                        FusedOperations.all(),
                        AttentionOperations.all(),
                        CacheOperations.all(),
                        ViewOperations.all())
                .flatMap(List::stream)
                .toList();
    }

    /** Cases of sizes at which kernels work in blocks; too slow for finite differences. */
    public static List<Operation> large() {
        return LargeOperations.all();
    }
}
