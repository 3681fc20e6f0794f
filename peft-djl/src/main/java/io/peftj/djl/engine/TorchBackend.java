package io.peftj.djl.engine;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import io.peftj.core.PeftException;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.BackendInfo;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Deferral;
import io.peftj.core.tensor.Encoding;
import io.peftj.core.tensor.FusedWeight;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Kernels;
import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.MemoryMeter;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Updates;
import io.peftj.core.tensor.Weight;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * The vocabulary's arithmetic on DJL's PyTorch engine.
 *
 * <p>Safe to share between threads. Native work runs on threads of the backend's own ({@link #call}); several backends may be open at once. DJL
 * reports each start of its engine to its makers unless the system property or environment variable {@code OPT_OUT_TRACKING} is true; opening a
 * backend sets the property where neither is set.
 *
 * <p>On a GPU (device {@code cuda:n}) libtorch for CUDA must be on the class path or named by {@code PYTORCH_LIBRARY_PATH}; attention is then
 * computed from matrix products. The project's tests run on processors only.
 */
public final class TorchBackend implements Backend {
    private static final String OPT_OUT = "OPT_OUT_TRACKING";
    private static final long WORTH_TRIMMING = 64L << 20;

    private final Workers workers;
    private final Workers lanes;
    private final int laneCount;
    private final PtNDManager manager;
    private final BackendInfo info;
    private final MemoryMeter memory = new MemoryMeter();
    private final Script script;
    private final Programs programs;
    private final TorchCalls calls;
    private final HostMemory host;
    private final KernelChoice choice;
    private final Kernels kernels;
    private final Updates updates;
    private final LinearAlgebra linearAlgebra;
    private volatile boolean open = true;

    private TorchBackend(
            Workers workers, Workers lanes, PtNDManager manager, EngineOptions options, KernelChoice choice) {
        this.workers = workers;
        this.lanes = lanes;
        this.laneCount = options.lanes();
        this.manager = manager;
        String version = manager.getEngine().getVersion();
        this.info = new BackendInfo("libtorch " + version + choice.names(), options.device(), options.threads());
        KernelSource kernelSource = new KernelSource(choice.resources(), options.device());
        this.script = Script.load(manager, kernelSource.all());
        this.programs = new Programs(text -> Script.load(manager, kernelSource.behindWhatItCalls(text)));
        this.calls = new TorchCalls(script, programs, memory);
        this.host = new HostMemory(manager, calls, !options.isCuda());
        this.choice = choice;
        this.kernels = new TorchKernels(calls, host, choice, options.packedWeights());
        this.updates = new TorchUpdates(calls);
        this.linearAlgebra = new TorchLinearAlgebra(this, calls, host);
        if (options.isCuda()) {
            // Its library of decompositions is loaded on first use, which fails where two threads are first.
            linearAlgebra.qr(Matrix.of(1, 1, new double[] {1}));
        }
    }

    /** Starts libtorch on the processor with all of its threads. */
    public static TorchBackend open() {
        return open(EngineOptions.defaults());
    }

    /**
     * Starts libtorch, if it is not running yet, and loads the kernels.
     *
     * @throws PeftException if libtorch or the device is missing
     */
    public static TorchBackend open(EngineOptions options) {
        return open(options, null);
    }

    /** Opens a backend with given kernels instead of what probing finds; for tests of what this machine would not choose. */
    static TorchBackend open(EngineOptions options, @Nullable KernelChoice given) {
        Engine engine = startEngine();
        if (options.isCuda() && options.gpu() >= engine.getGpuCount()) {
            throw new PeftException("device " + options.device() + " is not there: libtorch finds "
                    + engine.getGpuCount() + " GPUs; use cpu, or supply libtorch for CUDA");
        }
        PtNDManager manager = (PtNDManager) engine.newBaseManager(Device.cpu());
        Workers workers = new Workers(options.workers(), () -> setUp(options.threads()));
        Workers lanes = new Workers(options.lanes(), () -> setUp(1));
        try {
            return workers.call(() -> {
                KernelChoice choice = given == null ? KernelChoice.probe(manager, options) : given;
                return new TorchBackend(workers, lanes, manager, options, choice);
            });
        } catch (RuntimeException e) {
            workers.close();
            lanes.close();
            manager.close();
            throw e;
        }
    }

    /** What libtorch keeps by thread. Its first look at the number of threads takes over another thread's, so that comes before. */
    private static void setUp(int threads) {
        JniUtils.getNumThreads();
        JniUtils.setNumThreads(threads);
        JniUtils.setGraphExecutorOptimize(false);
    }

    private static Engine startEngine() {
        if (System.getProperty(OPT_OUT) == null && System.getenv(OPT_OUT) == null) {
            System.setProperty(OPT_OUT, "true");
        }
        try {
            return Engine.getEngine("PyTorch");
        } catch (EngineException | IllegalArgumentException e) {
            throw new PeftException(
                    "DJL's PyTorch engine did not start: " + e.getMessage()
                            + "; put ai.djl.pytorch:pytorch-jni and pytorch-native-cpu (or libtorch for CUDA) of matching versions on the class path",
                    e);
        }
    }

    @Override
    public Kernels kernels() {
        return kernels;
    }

    @Override
    public BackendInfo info() {
        return info;
    }

    @Override
    public MemoryMeter memory() {
        return memory;
    }

    @Override
    public Updates updates() {
        return updates;
    }

    @Override
    public LinearAlgebra linearAlgebra() {
        return linearAlgebra;
    }

    /**
     * {@inheritDoc}
     *
     * <p>A task called from a task runs at once on the same thread. A caller that is interrupted waits until the task has stopped.
     */
    @Override
    public <T> T call(Callable<T> task) {
        return workers.call(task);
    }

    /** As many as operations have threads; where a GPU computes there is one lane. */
    @Override
    public int lanes() {
        return laneCount;
    }

    @Override
    public <T> List<T> callAll(List<Callable<T>> tasks) {
        if (laneCount == 1 || tasks.size() <= 1) {
            return Backend.super.callAll(tasks);
        }
        // Fewer tasks than lanes would leave processors idle if each had one thread.
        int each = Math.max(1, laneCount / tasks.size());
        List<Callable<T>> withThreads = new ArrayList<>();
        for (Callable<T> task : tasks) {
            withThreads.add(() -> {
                JniUtils.setNumThreads(each);
                return task.call();
            });
        }
        return lanes.callAll(withThreads);
    }

    @Override
    public Deferral defer() {
        return calls.defer();
    }

    @Override
    public Weight weight(HostTensor values, DType dtype) {
        return call(() -> new TorchWeight(forProducts(upload(values, dtype)), dtype));
    }

    @Override
    public Weight weight(ByteBuffer bytes, Encoding encoding, Shape shape, DType dtype) {
        return call(() -> new TorchWeight(forProducts(upload(bytes, encoding, shape, dtype)), dtype));
    }

    @Override
    public Weight table(HostTensor values, DType dtype) {
        return call(() -> new TorchWeight(upload(values, dtype), dtype));
    }

    @Override
    public Weight table(ByteBuffer bytes, Encoding encoding, Shape shape, DType dtype) {
        return call(() -> new TorchWeight(upload(bytes, encoding, shape, dtype), dtype));
    }

    private TorchBuffer upload(HostTensor values, DType dtype) {
        checkMatrix(values.shape());
        return host.upload(values.values(), values.shape(), ScalarType.of(dtype));
    }

    private TorchBuffer upload(ByteBuffer bytes, Encoding encoding, Shape shape, DType dtype) {
        checkMatrix(shape);
        if (bytes.remaining() != shape.size() * encoding.bytes()) {
            throw new IllegalArgumentException("a weight " + shape + " in " + encoding + " needs "
                    + shape.size() * encoding.bytes() + " bytes, found " + bytes.remaining());
        }
        return host.upload(bytes, ScalarType.of(encoding), new Form(shape, ScalarType.of(dtype)));
    }

    /** Small models are not worth it. */
    @Override
    public void trim() {
        if (memory().liveBytes() >= WORTH_TRIMMING) {
            calls.trim();
        }
    }

    /** Lays a matrix out as products like it best. */
    private TorchBuffer forProducts(TorchBuffer matrix) {
        calls.loaded(matrix.form().bytes());
        if (!choice.columnsFirst(matrix.type())) {
            return matrix;
        }
        try {
            long[] byColumns = {1, matrix.dim(0)};
            return calls.own(calls.run("columns_first", matrix), matrix.form(), byColumns);
        } finally {
            matrix.release();
        }
    }

    @Override
    public FusedWeight fuse(List<Weight> weights) {
        List<TorchBuffer> matrices =
                weights.stream().map(weight -> TorchWeight.of(weight).matrix()).toList();
        DType dtype = weights.get(0).dtype();
        return call(() -> {
            TorchBuffer whole = forProducts(TorchBuffer.of(kernels.concat(List.copyOf(matrices), 0)));
            List<Weight> parts = new ArrayList<>();
            int from = 0;
            for (TorchBuffer matrix : matrices) {
                int to = from + matrix.dim(0);
                parts.add(new TorchWeight(TorchBuffer.of(kernels.slice(whole, 0, from, to)), dtype));
                matrix.release();
                from = to;
            }
            return new FusedWeight(new TorchWeight(whole, dtype), parts);
        });
    }

    @Override
    public HostTensor dense(Weight weight) {
        TorchBuffer matrix = TorchWeight.of(weight).matrix();
        return call(() -> HostTensor.of(matrix.form().shape(), host.readFloats(matrix)));
    }

    @Override
    public void free(Weight weight) {
        TorchWeight.of(weight).release();
    }

    /** Counts what each kernel takes from now on; one profile at a time. */
    public KernelProfile profile() {
        KernelProfile profile = new KernelProfile(() -> calls.profile(null));
        calls.profile(profile);
        return profile;
    }

    /** Waits for running tasks, then frees the threads and the kernels. Weights and constants belong to whoever made them. */
    @Override
    public void close() {
        if (open) {
            workers.close();
            lanes.close();
            open = false;
            calls.close();
            programs.close();
            script.close();
            manager.close();
        }
    }

    private static void checkMatrix(Shape shape) {
        if (shape.rank() != 2) {
            throw new IllegalArgumentException("a weight is a matrix [out, in], found shape " + shape);
        }
    }
}
