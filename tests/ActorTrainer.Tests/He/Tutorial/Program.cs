using System.Globalization;
using ActorTrainer.He.Approximation;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;

namespace ActorTrainer.Tests.He.Tutorial;

/// <summary>The program of docs/he-tutorial.md, block by block.</summary>
internal static class Program
{
    private const int Examples = 512, Features = 16;

    private static readonly FunctionCircuit Sigmoid = new PolynomialCircuit([ChebyshevFit.Interpolate(z => 1 / (1 + Math.Exp(-z)), -8, 8, 15)]);

    public static void Run(TextWriter output)
    {
        var random = new Random(1);
        double[] weights = [.. Enumerable.Range(0, Features).Select(_ => (2 * random.NextDouble()) - 1)];
        var data = Enumerable.Range(0, Examples).Select(_ => Enumerable.Range(0, Features).Select(_ => (2 * random.NextDouble()) - 1).ToArray()).ToArray();

        var parameters = new CkksParameters(ParameterSets.L14);
        Print(output, $"{parameters}");

        // A slot for each feature of each example, and a weight for each slot.
        double[] slots = [.. Enumerable.Range(0, parameters.Slots).Select(s => data[s % Examples][s / Examples])];
        var weight = new PlainVector(Enumerable.Range(0, parameters.Slots).Select(s => weights[s / Examples]));

        var twin = new TwinBackend(parameters);
        using var rehearsal = Score(new Evaluator(twin), twin.Encrypt(new PlainVector(slots), level: 6), weight);
        var rehearsed = TwinBackend.Values(rehearsal);
        Print(output, $"on the twin: level {rehearsal.Level}, example 0 scores {rehearsed[0].Real:F3}, example 1 scores {rehearsed[1].Real:F3}");

        var plan = new Planner(parameters).Run((e, inputs) => [Score(e, inputs.Encrypt(level: 6), weight)]);
        Print(output, $"depth {plan.Depth}, {plan.Count(Operation.Multiply)} products, {plan.Keys.Count} keys of {plan.KeyBytes >> 20} MiB, errors about 2^{Math.Log2(plan.Errors[0]):F0}");

        using var context = new CkksContext(parameters, parallelism: 2);
        using var generator = new KeyGenerator(context);
        using var secret = generator.NewSecretKey();
        using var keys = generator.NewEvaluationKeys(secret, plan.Keys);

        var encoder = new Encoder(context);
        using var encryptor = new Encryptor(context);
        using var message = encoder.Encode(slots, level: 6, parameters.ScaleAt(6));
        using var encrypted = encryptor.Encrypt(message, secret);

        using var sent = new MemoryStream();
        WireWriter.Write(sent, context, encrypted);
        WireWriter.Write(sent, context, keys);
        Print(output, $"sent: {sent.Length / 1e6:F1} MB");

        sent.Position = 0;
        using var received = WireReader.ReadCiphertext(sent, context);
        using var serverKeys = WireReader.ReadEvaluationKeys(sent, context);
        var server = new Evaluator(new CkksBackend(context, serverKeys));
        using var scores = Score(server, received, weight);

        var released = new Decryptor(context, secret).Release(scores, new ReleasePolicy { Tolerance = 0.02 });
        Print(output, $"largest difference from the twin: {(Enumerable.Range(0, Examples).Max(i => Math.Abs(released.Slots[i].Real - rehearsed[i].Real)) < 0.05 ? "below" : "above")} 0.05");

        try
        {
            server.Rotate(scores, 3);
        }
        catch (MissingKeyException e)
        {
            Print(output, $"{e.Message}");
        }
    }

    private static Ciphertext Score(Evaluator e, Ciphertext x, PlainVector weights)
    {
        using var product = e.Multiply(x, weights);
        using var terms = e.Rescale(product);
        using var sum = SlotSums.Sum(e, terms, stride: Examples, count: Features);
        using var shifted = e.Add(sum, -0.25);
        return Sigmoid.Evaluate(e, shifted);
    }

    private static void Print(TextWriter output, FormattableString line) => output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
