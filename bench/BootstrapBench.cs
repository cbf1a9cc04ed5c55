using System.Diagnostics;
using System.Globalization;
using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Bench;

/// <summary>Bootstrapping at the full size of a set: time of one ciphertext and of a pair, elapsed and of processors, by step; precision over several inputs; memory.</summary>
internal static class BootstrapBench
{
    private const string Twice = "twice";

    public static void Run(Arguments arguments)
    {
        var parameters = new CkksParameters(ParameterSets.All.Single(set => set.Name == arguments.Text("set", "B16")));
        var shape = BootstrapShape.For(parameters, arguments.Number("slots", parameters.Slots));
        var bootstrapper = new Bootstrapper(parameters, shape with { BabySteps = arguments.Number("babysteps", shape.BabySteps) });
        var requests = bootstrapper.Requests();
        using var context = new CkksContext(parameters, arguments.Number("threads", 1));
        Print($"{parameters}; level {bootstrapper.InputLevel} to {bootstrapper.OutputLevel}, {bootstrapper.Shape.BabySteps} baby steps, {arguments.Number("threads", 1)} threads");

        var watch = Stopwatch.StartNew();
        using var generator = new KeyGenerator(context, allowInsecure: true);
        using var secret = generator.NewSecretKey();
        using var keys = generator.NewEvaluationKeys(secret, requests);
        keys.Add(generator.NewEncapsulationKeys(secret));
        Print($"{requests.Count} keys and those of the sparse secret, {context.Ring.Pool.BytesInUse >> 20} MiB, made in {watch.Elapsed.TotalSeconds:F1} s");

        using var diagonals = new DiagonalCache((long)arguments.Number("cache", 2048) << 20);
        var timed = new TimedBackend(new CkksBackend(context, keys) { Diagonals = diagonals }, (operation, level) => arguments.Text("by", "step") == "operation" || operation == "raise modulus" ? operation
            : level <= bootstrapper.InputLevel ? "slots to coefficients"
            : level > parameters.MaxLevel - shape.ToSlots.Count ? "coefficients to slots"
            : "reduction mod 1");
        var evaluator = new Evaluator(timed);
        using var encryptor = new Encryptor(context);
        var (encoder, decryptor) = (new Encoder(context), new Decryptor(context, secret));
        var inputs = Inputs(shape.Slots);

        // Twice: the first time compiles, the second fills the cache.
        foreach (var _ in Enumerable.Range(0, 2))
        {
            using var warm = Encrypt(inputs["zero"]);
            bootstrapper.Single(evaluator, warm).Dispose();
        }

        for (var round = 0; round < arguments.Number("rounds", 2); round++)
        {
            using var a = Encrypt(inputs["uniform"]);
            using var b = Encrypt(inputs["ramp"]);
            Measured("single", () => bootstrapper.Single(evaluator, a).Dispose());
            Measured("pair", () =>
            {
                var (first, second) = bootstrapper.Pair(evaluator, a, b);
                first.Dispose();
                second.Dispose();
            });
        }

        Print($"{"bits",-12}{"average",10}{"rms",10}{"worst",10}{"estimated",10}, then a second time, with the first");
        var refresher = new TwiceRefresher(evaluator, new BootstrapRefresher(evaluator, bootstrapper, TwiceRefresher.WithRests(_ => 1)), site => site == Twice && shape.Slots == parameters.Slots);
        foreach (var (name, values) in inputs)
        {
            using var low = Encrypt(values);
            using var once = bootstrapper.Single(evaluator, low);
            using var twice = refresher.Refresh([low], bootstrapper.OutputLevel, Twice)[0];
            Print($"{name,-12}{Bits(once, values)},{Bits(twice, values)}");
        }

        Print($"memory: {ProcessMemory.Peak:F0} MiB at most, {ProcessMemory.Resident:F0} now; limbs {context.Ring.Pool.Bytes >> 20} MiB, in use at most {context.Ring.Pool.PeakBytes >> 20}, of the cache {diagonals.Bytes >> 20}");

        string Bits(Ciphertext lifted, double[] values)
        {
            var errors = decryptor.Slots(lifted).Select((found, i) => (found - values[i % values.Length]).Magnitude).ToArray();
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{errors.Average(e => -Math.Log2(Math.Max(e, 1e-15))),10:F1}{-Math.Log2(Math.Sqrt(errors.Average(e => e * e))),10:F1}{-Math.Log2(errors.Max()),10:F1}{-Math.Log2(lifted.EstimatedError),10:F1}");
        }

        Ciphertext Encrypt(double[] values)
        {
            using var plaintext = encoder.Encode(values, bootstrapper.InputLevel, parameters.ScaleAt(bootstrapper.InputLevel));
            return encryptor.Encrypt(plaintext, secret);
        }

        void Measured(string name, Action work)
        {
            timed.Forget();
            using var process = Process.GetCurrentProcess();
            var before = process.TotalProcessorTime;
            watch.Restart();
            work();
            var elapsed = watch.Elapsed.TotalSeconds;
            process.Refresh();
            Print($"{name,-8}{elapsed,8:F2} s, processors {(process.TotalProcessorTime - before).TotalSeconds:F2} s; elapsed: {string.Join(", ", timed.Operations.Select(step => FormattableString.Invariant($"{step.Name} {step.Seconds:F2}")))}");
        }
    }

    private static Dictionary<string, double[]> Inputs(int slots)
    {
        var random = new Random(1);
        double[] Each(Func<int, double> value) => [.. Enumerable.Range(0, slots).Select(value)];
        return new Dictionary<string, double[]>
        {
            ["zero"] = Each(_ => 0),
            ["ones"] = Each(_ => 1),
            ["single"] = Each(i => i == 1 ? 1 : 0),
            ["ramp"] = Each(i => (2.0 * i / slots) - 1),
            ["alternating"] = Each(i => i % 2 == 0 ? 1 : -1),
            ["uniform"] = Each(_ => (2 * random.NextDouble()) - 1),
            ["gaussian"] = Each(_ => Math.Clamp(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()) / 4, -1, 1)),
        };
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
