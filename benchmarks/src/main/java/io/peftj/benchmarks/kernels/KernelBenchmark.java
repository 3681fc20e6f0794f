package io.peftj.benchmarks.kernels;

import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.FusedWeight;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Kernels;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Weight;
import io.peftj.djl.engine.EngineOptions;
import io.peftj.djl.engine.TorchBackend;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** The kernels where a training step spends its time, at the sizes of a small LLaMA: width 512, 8 heads of 64, feed-forward 1408. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
@SuppressWarnings("NullAway.Init") // JMH sets parameters, then calls open()
public class KernelBenchmark {
    private static final int WIDTH = 512;
    private static final int HEADS = 8;
    private static final int FEED_FORWARD = 2 * 1408;
    private static final int VOCABULARY = 8192;
    private static final int REPEATS = 20;

    /** The format computed in. */
    @Param({"F32", "BF16"})
    public DType dtype;

    /** Tokens of all rows. */
    @Param({"8", "32", "512"})
    public int tokens;

    /** Threads of one operation. */
    @Param("1")
    public int threads;

    private TorchBackend backend;
    private Kernels kernels;
    private Session session;
    private Weight byColumns;
    private Weight byRows;
    private Weight vocabulary;
    private FusedWeight queryKeyValue;
    private FusedWeight gateUp;
    private Buffer x;
    private Buffer wide;
    private Buffer heads;
    private Buffer down;
    private Buffer up;
    private Buffer weights;
    private Buffer[] attended;
    private Buffer low;
    private Layout layout;
    private Index labels;
    private Dropout dropout;

    /** Makes the inputs. */
    @Setup
    public void open() {
        backend = TorchBackend.open(EngineOptions.defaults().withThreads(threads));
        kernels = backend.kernels();
        CounterRandom random = CounterRandom.of(1);
        byColumns = backend.weight(random.normal(Shape.of(FEED_FORWARD, WIDTH), 0.02), dtype);
        byRows = backend.table(random.normal(Shape.of(FEED_FORWARD, WIDTH), 0.02), dtype);
        vocabulary = backend.weight(random.normal(Shape.of(VOCABULARY, WIDTH), 0.02), dtype);
        queryKeyValue = fused(random, WIDTH, WIDTH / 2, WIDTH / 2);
        gateUp = fused(random, FEED_FORWARD / 2, FEED_FORWARD / 2);
        backend.call(() -> {
            session = Session.open(backend);
            x = upload(random, dtype, tokens, WIDTH);
            wide = upload(random, dtype, tokens, FEED_FORWARD);
            heads = upload(random, dtype, tokens, HEADS, WIDTH / HEADS);
            down = upload(random, DType.F32, 8, WIDTH);
            up = upload(random, DType.F32, WIDTH, 8);
            weights = upload(random, DType.F32, tokens);
            long[] ids = new long[tokens];
            Arrays.setAll(ids, i -> random.nextInt(VOCABULARY));
            labels = session.index(ids);
            dropout = new Dropout(labels, labels, 1);
            layout = Layout.of(session, rows());
            attended = kernels.attention(heads, heads, heads, layout, true, 0.125, List.of());
            low = kernels.lowRankDelta(x, down, up, null, null)[1];
            return true;
        });
    }

    /** Rows of up to 128 tokens, as in a batch of documents. */
    private int[] rows() {
        int[] rows = new int[(tokens + 127) / 128];
        Arrays.fill(rows, tokens / rows.length);
        return rows;
    }

    private FusedWeight fused(CounterRandom random, int... outputs) {
        return backend.fuse(IntStream.of(outputs)
                .mapToObj(out -> backend.weight(random.normal(Shape.of(out, WIDTH), 0.02), dtype))
                .toList());
    }

    private Buffer upload(CounterRandom random, DType format, int... dims) {
        Shape shape = Shape.of(dims);
        return kernels.upload(random.normal(shape, 1).values(), shape, format);
    }

    /** Ends libtorch's threads. */
    @TearDown
    public void close() {
        backend.close();
    }

    /** What one call costs when there is nothing to compute. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean smallestCall() {
        return repeat(() -> new Buffer[] {kernels.slice(x, 0, 0, 1)});
    }

    /** x · Wᵀ, W laid out by columns where the engine prefers that. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean product() {
        return repeat(() -> new Buffer[] {kernels.linear(x, byColumns, null)});
    }

    /** x · Wᵀ, W row-major. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean productByRows() {
        return repeat(() -> new Buffer[] {kernels.linear(x, byRows, null)});
    }

    /** g · W. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean productGradient() {
        return repeat(() -> new Buffer[] {kernels.linearTransposed(wide, byColumns)});
    }

    /** Queries, keys and values, half as many key heads as query heads, in one product. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean fusedQueryKeyValue() {
        return repeat(() -> new Buffer[] {kernels.linear(x, queryKeyValue.whole(), null)});
    }

    /** The same in three, with the parts of the fused matrix. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean separateQueryKeyValue() {
        return repeat(() -> each(queryKeyValue));
    }

    /** Gate and up in one product. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean fusedGateUp() {
        return repeat(() -> new Buffer[] {kernels.linear(x, gateUp.whole(), null)});
    }

    /** The same in two, with the parts of the fused matrix. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean separateGateUp() {
        return repeat(() -> each(gateUp));
    }

    private Buffer[] each(FusedWeight weights) {
        return weights.parts().stream()
                .map(part -> kernels.linear(x, part, null))
                .toArray(Buffer[]::new);
    }

    /** Causal attention. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean attention() {
        return repeat(() -> kernels.attention(heads, heads, heads, layout, true, 0.125, List.of()));
    }

    /** The gradients of causal attention. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean attentionGradient() {
        return repeat(() -> kernels.attentionBackward(
                heads, heads, heads, heads, attended[0], attended[1], layout, true, 0.125, List.of()));
    }

    /** LoRA's delta of rank 8 in single precision. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean lowRankDelta() {
        return repeat(() -> kernels.lowRankDelta(x, down, up, null, null));
    }

    /** LoRA's delta of rank 8 of dropped inputs. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean lowRankDeltaWithDropout() {
        return repeat(() -> kernels.lowRankDelta(x, down, up, null, dropout));
    }

    /** The gradients of LoRA's delta. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean lowRankDeltaGradient() {
        return repeat(() -> kernels.lowRankDeltaBackward(x, x, down, up, low, null, null, true));
    }

    /** The loss over the vocabulary with its gradient. */
    @Benchmark
    @OperationsPerInvocation(REPEATS)
    public boolean loss() {
        return repeat(() -> kernels.linearCrossEntropy(x, vocabulary, labels, weights, 0, true));
    }

    /** A score is the time of so many runs divided by their number, so that handing over to the backend's thread does not count. */
    private boolean repeat(Supplier<Buffer[]> kernel) {
        return backend.call(() -> {
            for (int i = 0; i < REPEATS; i++) {
                for (Buffer result : kernel.get()) {
                    result.release();
                }
            }
            return true;
        });
    }
}
