using System.Diagnostics;
using System.Globalization;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Bench;

/// <summary>
/// Times of encrypted arithmetic: kernels on one limb, operations on ciphertexts at the top level of a set. Rounds are interleaved, over operations,
/// over degrees of parallelism, and with another library's where a program answers for it: "operation TAB repeats" in, microseconds out.
/// </summary>
internal static unsafe class HeBench
{
    public static void Run(Arguments arguments)
    {
        var literal = ParameterSets.All.Single(set => set.Name == arguments.Text("set", "L15"));
        var (rounds, threads) = (arguments.Number("rounds", 9), arguments.Number("threads", 2));
        using var peer = arguments.Text("peer", "") is { Length: > 0 } program ? new Peer(program) : null;
        using var one = new Scheme(literal, 1);
        using var many = new Scheme(literal, threads);
        var names = one.Operations.Select(o => o.Name).ToArray();
        var times = names.ToDictionary(name => name, _ => (One: new List<double>(), Many: new List<double>(), Peer: new List<double>()));
        for (var round = -1; round < rounds; round++)
        {
            for (var i = 0; i < names.Length; i++)
            {
                var repeats = one.Operations[i].Repeats;
                var (alone, together, other) = (Time(one.Operations[i].Work, repeats), Time(many.Operations[i].Work, repeats), peer?.Ask(names[i], repeats));
                if (round >= 0)
                {
                    times[names[i]].One.Add(alone);
                    times[names[i]].Many.Add(together);
                    times[names[i]].Peer.AddRange(other is { } value ? [value] : []);
                }
            }
        }

        Console.WriteLine(one.Parameters);
        Console.WriteLine($"{"microseconds, median of " + rounds,-32}{"1 thread",12}{threads + " threads",12}{"gain",8}{"peer",12}{"peer/1",8}");
        foreach (var name in names)
        {
            var (alone, together) = (Statistics.Median(times[name].One), Statistics.Median(times[name].Many));
            var other = times[name].Peer is { Count: > 0 } list ? Statistics.Median(list) : double.NaN;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-32}{alone,12:F1}{together,12:F1}{alone / together,8:F2}{other,12:F1}{other / alone,8:F2}"));
        }
    }

    private static double Time(Action work, int repeats)
    {
        work();
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < repeats; i++)
        {
            work();
        }

        return watch.Elapsed.TotalMicroseconds / repeats;
    }

    /// <summary>Keys and operands of one degree of parallelism.</summary>
    private sealed class Scheme : IDisposable
    {
        private readonly CkksContext _context;
        private readonly List<IDisposable> _owned = [];

        public Scheme(ParametersLiteral literal, int threads)
        {
            _context = new CkksContext(new CkksParameters(literal), threads);
            var level = Parameters.MaxLevel;
            var generator = Own(new KeyGenerator(_context, allowInsecure: true));
            var secret = Own(generator.NewSecretKey());
            var publicKey = Own(generator.NewPublicKey(secret));
            int[] rotations = [.. Enumerable.Range(1, 8)];
            var keys = Own(generator.NewEvaluationKeys(secret, [new(KeyRequest.Relinearisation, level), .. rotations.Select(r => new KeyRequest(Galois.Rotation(Parameters, r), level))]));
            var (encoder, encryptor, evaluator, decryptor) = (new Encoder(_context), Own(new Encryptor(_context)), new Evaluator(new CkksBackend(_context, keys)), new Decryptor(_context, secret));
            var backend = new CkksBackend(_context, keys);
            var values = Enumerable.Range(0, Parameters.Slots).Select(i => ((i % 97) / 97.0) - 0.5).ToArray();
            var plaintext = Own(encoder.Encode(values, level, Parameters.ScaleAt(level)));
            var (a, b) = (Own(encryptor.Encrypt(plaintext, publicKey)), Own(encryptor.Encrypt(plaintext, publicKey)));
            var product = Own(evaluator.MultiplyLazy(a, b));
            var limb = Own(_context.Ring.NewPolynomial(1));
            var kernels = _context.Ring.Chain(0);
            kernels.Clear(limb[0]);
            Operations =
            [
                ("forward", 100, () => kernels.Forward(limb[0])),
                ("inverse", 100, () => kernels.Inverse(limb[0])),
                ("add", 10, () => evaluator.Add(a, b).Dispose()),
                ("multiply", 10, () => evaluator.MultiplyLazy(a, b).Dispose()),
                ("multiply plain", 10, () => backend.Multiply(a.Payload, plaintext).Dispose()),
                ("rescale two", 5, () => evaluator.Rescale(a).Dispose()),
                ("rescale", 5, () => evaluator.Rescale(product).Dispose()),
                ("relinearise", 3, () => evaluator.Relinearise(product).Dispose()),
                ("rotate", 3, () => evaluator.Rotate(a, 1).Dispose()),
                ("rotate by eight, hoisted", 1, () => Array.ForEach(evaluator.RotateMany(a, rotations), r => r.Dispose())),
                ("encode", 5, () => encoder.Encode(values, level, Parameters.ScaleAt(level)).Dispose()),
                ("encrypt", 3, () => encryptor.Encrypt(plaintext, publicKey).Dispose()),
                ("encrypt secret", 3, () => encryptor.Encrypt(plaintext, secret).Dispose()),
                ("decrypt", 10, () => decryptor.Decrypt(a).Dispose()),
            ];
        }

        public CkksParameters Parameters => _context.Parameters;

        public (string Name, int Repeats, Action Work)[] Operations { get; }

        public void Dispose()
        {
            _owned.ForEach(o => o.Dispose());
            _context.Dispose();
        }

        private T Own<T>(T value)
            where T : IDisposable
        {
            _owned.Add(value);
            return value;
        }
    }

    /// <summary>Another library's program.</summary>
    private sealed class Peer : IDisposable
    {
        private readonly Process _process;

        public Peer(string program) => _process = Process.Start(new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

        /// <summary>Microseconds of one operation; null where the peer has none of that name.</summary>
        public double? Ask(string operation, int repeats)
        {
            _process.StandardInput.WriteLine($"{operation}\t{repeats}");
            return double.TryParse(_process.StandardOutput.ReadLine(), NumberStyles.Float, CultureInfo.InvariantCulture, out var time) ? time : null;
        }

        public void Dispose()
        {
            _process.StandardInput.Close();
            _process.WaitForExit();
            _process.Dispose();
        }
    }
}
