package io.peftj.djl.engine;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Shape;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Where a backend's time goes, kernel by kernel, from {@link TorchBackend#profile} until it is closed.
 *
 * <p>Times are those of the calling threads; kernels that run side by side each count in full. Products with frozen matrices are told apart by their
 * sizes. On a GPU, where calls return before they are done, they say little.
 */
public final class KernelProfile implements AutoCloseable {
    private static final List<String> FROZEN_PRODUCTS = List.of("linear", "linear_transposed", "linear_cross_entropy");

    private final Map<Key, Cell> cells = new ConcurrentHashMap<>();
    private final Runnable end;

    /**
     * Calls of one kernel.
     *
     * @param kernel its name
     * @param product what was multiplied where it is a product with a frozen matrix
     * @param calls how often
     * @param seconds how long all of them took
     */
    public record Entry(String kernel, Optional<Product> product, long calls, double seconds) {}

    /**
     * A product with a frozen matrix [out, in].
     *
     * @param tokens rows of the other factor
     * @param transposed whether it is the gradient's, g [tokens, out] · W
     * @param dtype the format
     */
    public record Product(int tokens, int out, int in, boolean transposed, DType dtype) {}

    private record Key(String kernel, @Nullable Product product) {}

    private static final class Cell {
        private final LongAdder calls = new LongAdder();
        private final LongAdder nanos = new LongAdder();
    }

    KernelProfile(Runnable end) {
        this.end = end;
    }

    void add(String kernel, @Nullable Object[] arguments, long nanos) {
        Cell cell = cells.computeIfAbsent(new Key(kernel, product(kernel, arguments)), key -> new Cell());
        cell.calls.increment();
        cell.nanos.add(nanos);
    }

    private static @Nullable Product product(String kernel, @Nullable Object[] arguments) {
        if (!FROZEN_PRODUCTS.contains(kernel)
                || !(arguments[0] instanceof TorchBuffer x)
                || !(arguments[1] instanceof TorchBuffer matrix)) {
            return null;
        }
        Shape shape = matrix.form().shape();
        DType dtype = switch (x.type()) {
            case BF16 -> DType.BF16;
            case F64 -> DType.F64;
            default -> DType.F32;
        };
        return new Product(x.dim(0), shape.dim(0), shape.dim(1), kernel.equals("linear_transposed"), dtype);
    }

    /** What was called so far, what took longest first. */
    public List<Entry> entries() {
        return cells.entrySet().stream()
                .map(cell -> new Entry(
                        cell.getKey().kernel(),
                        Optional.ofNullable(cell.getKey().product()),
                        cell.getValue().calls.sum(),
                        cell.getValue().nanos.sum() / 1e9))
                .sorted(Comparator.comparingDouble(Entry::seconds).reversed())
                .toList();
    }

    /** Ends it; what was counted stays. */
    @Override
    public void close() {
        end.run();
    }
}
