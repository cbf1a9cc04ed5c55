using System.Globalization;
using System.Text;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Planning;

/// <summary>What a program will take, known before any ciphertext exists: levels, keys, memory, operations, and estimates of time and precision.</summary>
public sealed record Plan
{
    public required CkksParameters Parameters { get; init; }

    /// <summary>Rescales on the longest way from an input to a result, counted from the highest level used to the lowest.</summary>
    public required int Depth { get; init; }

    /// <summary>How often each operation is done at each level.</summary>
    public required IReadOnlyDictionary<(Operation Operation, int Level), long> Counts { get; init; }

    /// <summary>Exactly the evaluation keys to make, each up to the highest level of its use.</summary>
    public required IReadOnlyList<KeyRequest> Keys { get; init; }

    /// <summary>Memory of all evaluation keys, in bytes.</summary>
    public required long KeyBytes { get; init; }

    /// <summary>The most memory that ciphertexts hold at once, in bytes, workspace of the largest key switch included.</summary>
    public required long CiphertextBytes { get; init; }

    /// <summary>Predicted seconds; null without measured costs.</summary>
    public required double? Seconds { get; init; }

    /// <summary>Estimated root mean square error of the slots of each result.</summary>
    public required IReadOnlyList<double> Errors { get; init; }

    public long Count(Operation operation) => Counts.Where(entry => entry.Key.Operation == operation).Sum(entry => entry.Value);

    /// <summary>A table for people.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Line($"parameters   {Parameters}");
        Line($"depth        {Depth} of {Parameters.UsableLevels} usable levels");
        Line($"operations   {string.Join(", ", Counts.GroupBy(c => c.Key.Operation).Select(g => $"{g.Sum(c => c.Value)} {g.Key}"))}");
        Line($"keys         {Keys.Count}, {KeyBytes / 1048576.0:F0} MiB");
        Line($"ciphertexts  {CiphertextBytes / 1048576.0:F0} MiB at most");
        Line($"time         {(Seconds is { } seconds ? string.Create(CultureInfo.InvariantCulture, $"{seconds:G3} s") : "no measured costs")}");
        Line($"precision    {(Errors.Count == 0 ? "no results" : string.Join(", ", Errors.Select(e => string.Create(CultureInfo.InvariantCulture, $"{-Math.Log2(e):F1} bits"))))}");
        return text.ToString();

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
    }
}
