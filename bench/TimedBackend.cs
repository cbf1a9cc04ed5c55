using System.Diagnostics;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;

namespace ActorTrainer.Bench;

/// <summary>Passes everything on and measures what each kind of operation takes, and each part of a layer: the innermost method of one that is on the stack.</summary>
/// <param name="named">What an operation at a level counts as; null for the operation's own name.</param>
internal sealed class TimedBackend(IBackend inner, Func<string, int, string>? named = null) : IBackend
{
    private readonly Dictionary<string, (int Calls, double Seconds)> _operations = [];
    private readonly Dictionary<string, (int Calls, double Seconds)> _parts = [];
    private readonly Dictionary<string, (int Calls, double Seconds)> _wholes = [];

    public CkksParameters Parameters => inner.Parameters;

    /// <summary>Calls and seconds since the last <see cref="Forget"/>, the longest first.</summary>
    public IEnumerable<(string Name, int Calls, double Seconds)> Operations => Sorted(_operations);

    /// <inheritdoc cref="Operations"/>
    public IEnumerable<(string Name, int Calls, double Seconds)> Parts => Sorted(_parts);

    /// <summary>By the outermost method of a layer.</summary>
    /// <inheritdoc cref="Operations"/>
    public IEnumerable<(string Name, int Calls, double Seconds)> Wholes => Sorted(_wholes);

    public void Forget()
    {
        _wholes.Clear();
        _operations.Clear();
        _parts.Clear();
    }

    public IPayload Add(IPayload a, IPayload b, int level) => Timed("add", level, () => inner.Add(a, b, level));

    public IPayload Subtract(IPayload a, IPayload b, int level) => Timed("add", level, () => inner.Subtract(a, b, level));

    public IPayload Negate(IPayload a, int level) => Timed("add", level, () => inner.Negate(a, level));

    public IPayload Add(IPayload a, PlainVector m, int level, Scale scale) => Timed("add plain", level, () => inner.Add(a, m, level, scale));

    public IPayload Add(IPayload a, ScaledConstant constant, int level) => Timed("add constant", level, () => inner.Add(a, constant, level));

    public IPayload Multiply(IPayload a, PlainVector m, int level, Scale scale) => Timed("multiply plain", level, () => inner.Multiply(a, m, level, scale));

    public IPayload Multiply(IPayload a, ScaledConstant constant, int level) => Timed("multiply constant", level, () => inner.Multiply(a, constant, level));

    public IPayload Multiply(IPayload a, IPayload b, int level) => Timed("multiply", level, () => inner.Multiply(a, b, level));

    public IPayload Relinearise(IPayload a, int level) => Timed("relinearise", level, () => inner.Relinearise(a, level));

    public IPayload Rescale(IPayload a, int level) => Timed("rescale", level, () => inner.Rescale(a, level));

    public IPayload Drop(IPayload a, int level) => Timed("drop", level, () => inner.Drop(a, level));

    public IPayload[] Automorphisms(IPayload a, IReadOnlyList<int> elements, int level) => Timed("rotate", level, () => inner.Automorphisms(a, elements, level));

    public IPayload RaiseModulus(IPayload a, Scale scale) => Timed("raise modulus", inner.Parameters.MaxLevel, () => inner.RaiseModulus(a, scale));

    public IPayload[] Transform(IReadOnlyList<IPayload> inputs, DiagonalMatrix m, int level, Scale scale) => Timed("transform", level, () => inner.Transform(inputs, m, level, scale));

    public IPayload SumAutomorphisms(IPayload a, IReadOnlyList<int> elements, int level) => Timed("sum rotations", level, () => inner.SumAutomorphisms(a, elements, level));

    public void Disturb(IPayload result, double slotDeviation) => inner.Disturb(result, slotDeviation);

    public void Spread(int count, Action<int> work) => inner.Spread(count, work);

    private T Timed<T>(string operation, int level, Func<T> work)
    {
        var start = Stopwatch.GetTimestamp();
        var result = work();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var layers = Layers();
        lock (_parts)
        {
            Note(_wholes, layers.Length == 0 ? "elsewhere" : layers[^1], seconds);
            Note(_operations, named?.Invoke(operation, level) ?? operation, seconds);
            Note(_parts, layers.Length == 0 ? "elsewhere" : string.Join(" < ", layers.Distinct().Take(2)), seconds);
        }

        return result;
    }

    private static void Note(Dictionary<string, (int Calls, double Seconds)> table, string name, double seconds)
    {
        var (calls, sum) = table.GetValueOrDefault(name);
        table[name] = (calls + 1, sum + seconds);
    }

    private static IEnumerable<(string, int, double)> Sorted(Dictionary<string, (int Calls, double Seconds)> table) =>
        table.OrderByDescending(entry => entry.Value.Seconds).Select(entry => (entry.Key, entry.Value.Calls, entry.Value.Seconds));

    /// <summary>Methods of layers that are on the stack, the innermost first.</summary>
    private static string[] Layers()
    {
        var layers = typeof(EncoderLayer).Namespace;
        return [.. new StackTrace().GetFrames().Select(frame => frame.GetMethod()).Where(m => m?.DeclaringType?.Namespace == layers).Select(m => Named(m!))];
    }

    /// <summary>A lambda counts as the method that it is written in.</summary>
    private static string Named(System.Reflection.MethodBase method)
    {
        var type = method.DeclaringType!;
        while (type.Name.StartsWith('<'))
        {
            type = type.DeclaringType!;
        }

        return $"{type.Name}.{(method.Name.StartsWith('<') ? method.Name[1..method.Name.IndexOf('>')] : method.Name)}";
    }
}
