using ActorTrainer.He.Backends;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Planning;

/// <summary>Measures what operations cost on this machine: medians over rounds, on ciphertexts of zeros under keys of its own.</summary>
public static class CostMeasurement
{
    /// <param name="context">Parameters and degree of parallelism to measure at.</param>
    /// <param name="levels">Levels to measure; null: the lowest that can be rescaled, the highest, and two between.</param>
    /// <param name="rounds">Repetitions, of which the median counts.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public static OperationCosts Measure(CkksContext context, IReadOnlyList<int>? levels = null, int rounds = 5, TimeProvider? time = null)
    {
        var (parameters, clock) = (context.Parameters, time ?? TimeProvider.System);
        int[] chosen = [.. (levels ?? [1, parameters.MaxLevel / 3, 2 * parameters.MaxLevel / 3, parameters.MaxLevel]).Where(l => l > 0).Distinct().Order()];
        using var generator = new KeyGenerator(context, allowInsecure: true);
        using var secret = generator.NewSecretKey();
        using var keys = generator.NewEvaluationKeys(secret, [new(KeyRequest.Relinearisation, chosen[^1]), new(Galois.Rotation(parameters, 1), chosen[^1])]);
        if (EncapsulationParameters.Allows(parameters))
        {
            keys.Add(generator.NewEncapsulationKeys(secret));
        }

        using var encryptor = new Encryptor(context);
        var evaluator = new Evaluator(new CkksBackend(context, keys));
        var measured = Enum.GetValues<Operation>().ToDictionary(o => o, _ => new List<double>());
        var held = new[] { Operation.MultiplyDiagonal, Operation.MultiplyPlainUndivided }.ToDictionary(o => o, _ => new List<double>());
        foreach (var level in chosen)
        {
            using var zero = new Encoder(context).Encode([0.0], level, parameters.ScaleAt(level));
            using var x = encryptor.Encrypt(zero, secret);
            using var three = evaluator.MultiplyLazy(x, x);
            using var bottom = evaluator.DropTo(x, 0);
            var vector = new PlainVector(new double[parameters.Slots]);
            using var parts = new SwitchingParts(context, keys.Get(Galois.Rotation(parameters, 1), level, "A measurement"), x);
            foreach (var (operation, row) in measured)
            {
                row.Add(Median(Work(evaluator, parts, operation, x, operation == Operation.RaiseModulus ? bottom : three, vector), rounds, clock));
            }

            parts.Hold(vector);
            held[Operation.MultiplyDiagonal].Add(Median(() => parts.MultiplyHeld(special: false), rounds, clock));
            held[Operation.MultiplyPlainUndivided].Add(Median(() => parts.MultiplyHeld(special: true), rounds, clock));
        }

        return new OperationCosts
        {
            Set = parameters.Name,
            Parallelism = context.Ring.Team.Degree,
            Levels = chosen,
            Measured = measured.ToDictionary(entry => entry.Key, entry => (IReadOnlyList<double>)entry.Value),
            Held = held.ToDictionary(entry => entry.Key, entry => (IReadOnlyList<double>)entry.Value),
        };
    }

    private static Action Work(Evaluator e, SwitchingParts parts, Operation operation, Ciphertext x, Ciphertext other, PlainVector vector) => operation switch
    {
        Operation.Add => () => e.Add(x, x).Dispose(),
        Operation.AddPlain => () => e.Add(x, vector).Dispose(),
        Operation.MultiplyPlain => () => e.Multiply(x, vector).Dispose(),
        Operation.MultiplyConstant => () => e.Multiply(x, 0.5).Dispose(),
        Operation.Multiply => () => e.MultiplyLazy(x, x).Dispose(),
        Operation.Relinearise => () => e.Relinearise(other).Dispose(),
        Operation.Rescale => () => e.Rescale(x).Dispose(),
        Operation.Rotate => () => e.Rotate(x, 1).Dispose(),
        Operation.Raise => parts.Raise,
        Operation.RotateRaised => parts.RotateRaised,
        Operation.RotateUndivided => parts.RotateUndivided,
        Operation.MultiplyDiagonal => () => parts.MultiplyPlain(vector, special: false),
        Operation.MultiplyPlainUndivided => () => parts.MultiplyPlain(vector, special: true),
        Operation.DivideSpecial => parts.Divide,
        // The same at every level; where a set cannot be bootstrapped nothing asks for it.
        Operation.RaiseModulus => () => (EncapsulationParameters.Allows(x.Parameters) ? e.RaiseModulus(other) : null)?.Dispose(),
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "This operation has no measurement."),
    };

    private static double Median(Action work, int rounds, TimeProvider clock)
    {
        work();
        var times = new double[rounds];
        for (var i = 0; i < rounds; i++)
        {
            var start = clock.GetTimestamp();
            work();
            times[i] = clock.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(times);
        return times[rounds / 2];
    }
}
