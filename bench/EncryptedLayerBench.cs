using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Bench;

/// <summary>One encoder layer, or the head and the optimiser, forward and backward under encryption, refreshed by the key's holder in the same process: time and keys beside the plan, error against the cleartext twin.</summary>
internal static class EncryptedLayerBench
{
    public static void Run(Arguments arguments)
    {
        var parameters = new CkksParameters(ParameterSets.All.Single(set => set.Name == arguments.Text("set", "L15")));
        var (tokens, batch, heads, width) = (arguments.Number("tokens", 16), arguments.Number("batch", 16), arguments.Number("heads", 4), arguments.Number("width", 16));
        var (threads, cache) = (arguments.Number("threads", 2), arguments.Number("cache", 1024));
        var packing = new Packing(parameters.Slots, tokens, batch, heads, width);
        IMadeProgram made = arguments.Text("part", "layer") switch
        {
            "layer" => new MadeLayer(packing, arguments.Number("inner", 2 * heads * width)),
            "head" => new MadeHead(packing, 2 * 3 * 2 * 2),
            var other => throw new RefusedException($"part={other}: expected layer or head."),
        };
        using var context = new CkksContext(parameters, threads);
        var costs = CostMeasurement.Measure(context);
        var bootstrapper = arguments.Text("refresh", "owner") switch
        {
            "owner" => null,
            "bootstrap" => new Bootstrapper(parameters, BootstrapShape.For(parameters)),
            var other => throw new RefusedException($"refresh={other}: expected owner or bootstrap."),
        };
        var (floor, top) = (bootstrapper?.InputLevel ?? 0, bootstrapper?.OutputLevel ?? parameters.MaxLevel);
        var refreshes = new long[1];
        var plan = new Planner(parameters, costs).Run((e, inputs) =>
        {
            var refresher = new CountedRefresher(bootstrapper is null ? new ClearRefresher(inputs) : new BootstrapRefresher(e, bootstrapper));
            var results = made.Run(new TensorMath(e, refresher, made.Packing), _ => inputs.Encrypt(top));
            refreshes[0] = refresher.Count;
            return [.. results.Select(r => r.Value)];
        });
        Console.WriteLine(plan);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"refreshes    {refreshes[0]}"));
        foreach (var group in plan.Counts.GroupBy(c => c.Key.Operation))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {group.Key,-24}{group.Sum(c => c.Value),8}{group.Sum(c => c.Value * costs.Seconds(c.Key.Operation, c.Key.Level)),10:F2} s"));
        }

        var twin = new TwinBackend(parameters);
        var watch = Stopwatch.StartNew();
        var probe = new BoundProbe(new ClearRefresher(twin, floor, top));
        var expected = made.Run(new TensorMath(new Evaluator(twin), probe, made.Packing), slots => twin.Encrypt(new PlainVector(slots), top));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"twin         {watch.Elapsed.TotalSeconds:F1} s"));

        using var generator = new KeyGenerator(context, allowInsecure: true);
        using var secret = generator.NewSecretKey();
        watch.Restart();
        using var keys = generator.NewEvaluationKeys(secret, plan.Keys);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"keys made    {watch.Elapsed.TotalSeconds:F1} s"));
        if (bootstrapper is not null)
        {
            keys.Add(generator.NewEncapsulationKeys(secret));
        }

        using var encryptor = new Encryptor(context);
        using var diagonals = new DiagonalCache((long)cache << 20);
        var timed = new TimedBackend(new CkksBackend(context, keys) { Diagonals = diagonals });
        var evaluator = new Evaluator(timed);
        var bounds = probe.Bounds(8);
        var refresh = new CountedRefresher(bootstrapper is null
            ? new KeyHolder(new OwnerRefresh(context, secret, encryptor), top)
            : new BootstrapRefresher(evaluator, bootstrapper, site => bounds[site]));
        var math = new TensorMath(evaluator, refresh, made.Packing);
        for (var round = 0; round < arguments.Number("rounds", 2); round++)
        {
            refresh.Seconds = 0;
            timed.Forget();
            context.Ring.Pool.ForgetPeak();
            var busy = Environment.CpuUsage.TotalTime;
            watch.Restart();
            var results = made.Run(math, Encrypt);
            var seconds = watch.Elapsed.TotalSeconds;
            var processor = (Environment.CpuUsage.TotalTime - busy).TotalSeconds;
            var errors = results.Zip(expected, (r, e) => (r.Kind, Errors: Errors(new Decryptor(context, secret).Slots(r.Value), TwinBackend.Values(e.Value), r.Period))).ToArray();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"measured     {seconds:F2} s ({processor:F2} s on all cores), {refresh.Seconds:F2} s of it refreshes; planned {plan.Seconds:F2} s; native memory {context.Ring.Pool.PeakBytes >> 20} MiB of {context.Ring.Pool.Bytes >> 20} taken, managed {GC.GetGCMemoryInfo().TotalCommittedBytes >> 20}, resident at most {ProcessMemory.Peak:F0}; worst relative error {errors.Max(e => e.Errors.Whole):E1}"));
            foreach (var kind in errors.GroupBy(e => e.Kind, e => e.Errors))
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  error of {kind.Key,-24}{kind.Count(),4} ciphertexts, worst {kind.Max(e => e.Whole):E1}, worst vector of one {kind.Max(e => e.Vector):E1}"));
            }

            foreach (var result in results)
            {
                result.Value.Dispose();
            }

            foreach (var (name, calls, took) in timed.Wholes.Concat(timed.Operations).Concat(timed.Parts))
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name,-72}{calls,8}{took,10:F2} s"));
            }
        }

        Ciphertext Encrypt(double[] slots)
        {
            using var message = new Encoder(context).Encode(slots, top, parameters.ScaleAt(top));
            return encryptor.Encrypt(message, secret);
        }
    }

    /// <summary>Relative distance of all slots, and of the worst of <paramref name="period"/> vectors packed in them; a vector of zeros has none.</summary>
    private static (double Whole, double Vector) Errors(Complex[] found, IReadOnlyList<Complex> expected, int period)
    {
        var (distances, norms) = (new double[period], new double[period]);
        for (var slot = 0; slot < found.Length; slot++)
        {
            distances[slot % period] += Square(found[slot] - expected[slot]);
            norms[slot % period] += Square(expected[slot]);
        }

        return (Math.Sqrt(distances.Sum() / norms.Sum()), Math.Sqrt(distances.Zip(norms, (d, n) => n == 0 ? 0 : d / n).Max()));

        static double Square(Complex value) => (value.Real * value.Real) + (value.Imaginary * value.Imaginary);
    }

    private sealed class KeyHolder(OwnerRefresh owner, int maxLevel) : IRefresher
    {
        public int MaxLevel => maxLevel;

        public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site) => [.. ciphertexts.Select(c => owner.Refresh(c, level))];
    }

    /// <summary>Counts and times.</summary>
    private sealed class CountedRefresher(IRefresher inner) : IRefresher
    {
        public int MaxLevel => inner.MaxLevel;

        public int Floor => inner.Floor;

        public int Reach(string site) => inner.Reach(site);

        public long Count { get; private set; }

        public double Seconds { get; set; }

        public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
        {
            var watch = Stopwatch.StartNew();
            var results = inner.Refresh(ciphertexts, level, site);
            (Count, Seconds) = (Count + ciphertexts.Count, Seconds + watch.Elapsed.TotalSeconds);
            return results;
        }
    }
}
