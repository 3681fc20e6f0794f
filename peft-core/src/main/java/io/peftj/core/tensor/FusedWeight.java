package io.peftj.core.tensor;

import java.util.List;

/**
 * Frozen matrices that read one input, below each other in one, so that one product serves all.
 *
 * @param whole [Σ out, in]
 * @param parts each matrix [out, in], a view of the whole where the backend has views
 */
public record FusedWeight(Weight whole, List<Weight> parts) {
    /** Copies the list. */
    public FusedWeight {
        parts = List.copyOf(parts);
    }
}
