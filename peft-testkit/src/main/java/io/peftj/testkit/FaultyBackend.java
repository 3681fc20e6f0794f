package io.peftj.testkit;

import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.BackendInfo;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Deferral;
import io.peftj.core.tensor.Encoding;
import io.peftj.core.tensor.FusedWeight;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Kernels;
import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.core.tensor.MemoryMeter;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Updates;
import io.peftj.core.tensor.Weight;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A backend whose kernels fail at a chosen call, to see what an error in the middle of a computation leaves behind.
 *
 * <p>Everything else is another backend's, which stays its owner's to close.
 */
public final class FaultyBackend implements Backend {
    private final Backend backend;
    private final Kernels kernels;
    private final AtomicLong calls = new AtomicLong();
    private final Map<String, AtomicLong> callsByKernel = new ConcurrentHashMap<>();
    private final long failingCall;

    /** What a chosen call throws. */
    public static final class InjectedFault extends RuntimeException {
        private static final long serialVersionUID = 1L;

        InjectedFault(String kernel, long call) {
            super("injected fault in " + kernel + ", kernel call " + call);
        }
    }

    private FaultyBackend(Backend backend, long failingCall) {
        this.backend = backend;
        this.failingCall = failingCall;
        this.kernels = (Kernels) Proxy.newProxyInstance(
                Kernels.class.getClassLoader(),
                new Class<?>[] {Kernels.class},
                (proxy, method, arguments) -> invoke(method, arguments));
    }

    /** Fails at a kernel call, counted from 0. */
    public static FaultyBackend failingAt(Backend backend, long call) {
        return new FaultyBackend(backend, call);
    }

    /** Never fails, only counts calls. */
    public static FaultyBackend counting(Backend backend) {
        return new FaultyBackend(backend, -1);
    }

    /** Kernel calls so far, the failed one included. */
    public long calls() {
        return calls.get();
    }

    /** Calls so far of the kernels of a name, such as "orthonormalRows". */
    public long calls(String kernel) {
        return callsByKernel.getOrDefault(kernel, new AtomicLong()).get();
    }

    private Object invoke(Method method, Object[] arguments) throws Throwable {
        long call = calls.getAndIncrement();
        callsByKernel
                .computeIfAbsent(method.getName(), kernel -> new AtomicLong())
                .incrementAndGet();
        if (call == failingCall) {
            throw new InjectedFault(method.getName(), call);
        }
        try {
            return method.invoke(backend.kernels(), arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    @Override
    public Kernels kernels() {
        return kernels;
    }

    @Override
    public BackendInfo info() {
        return backend.info();
    }

    @Override
    public MemoryMeter memory() {
        return backend.memory();
    }

    @Override
    public LinearAlgebra linearAlgebra() {
        return backend.linearAlgebra();
    }

    @Override
    public Updates updates() {
        return backend.updates();
    }

    @Override
    public Deferral defer() {
        return backend.defer();
    }

    @Override
    public <T> T call(Callable<T> task) {
        return backend.call(task);
    }

    @Override
    public int lanes() {
        return backend.lanes();
    }

    @Override
    public <T> List<T> callAll(List<Callable<T>> tasks) {
        return backend.callAll(tasks);
    }

    @Override
    public Weight weight(HostTensor values, DType dtype) {
        return backend.weight(values, dtype);
    }

    @Override
    public Weight weight(ByteBuffer bytes, Encoding encoding, Shape shape, DType dtype) {
        return backend.weight(bytes, encoding, shape, dtype);
    }

    @Override
    public FusedWeight fuse(List<Weight> weights) {
        return backend.fuse(weights);
    }

    @Override
    public HostTensor dense(Weight weight) {
        return backend.dense(weight);
    }

    @Override
    public void free(Weight weight) {
        backend.free(weight);
    }

    @Override
    public void close() {
        // The other backend is closed by whoever made it.
    }
}
