using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.FineTuning;

/// <summary>Compares the tensors of a file with those that are wanted, by name, shape and kind of type.</summary>
internal static class TensorFit
{
    private const int LongestList = 20;

    /// <summary>Refuses a file that does not fit.</summary>
    /// <param name="path">The file, for the message.</param>
    /// <param name="what">What it should fit, for the message.</param>
    /// <param name="mayBeMissing">Names that the file may lack; null: none.</param>
    /// <exception cref="RefusedException">Names all missing, unexpected and wrongly shaped tensors.</exception>
    public static void Require(
        string path, string what, IEnumerable<(string Name, long[] Shape)> wanted, IReadOnlyDictionary<string, SafeTensorsEntry> found,
        Func<string, bool>? mayBeMissing = null)
    {
        var shapes = wanted.ToDictionary(tensor => tensor.Name, tensor => tensor.Shape, StringComparer.Ordinal);
        var complaints = new List<string>();
        Complain("missing", shapes.Keys.Where(name => !found.ContainsKey(name) && mayBeMissing?.Invoke(name) != true));
        Complain("unexpected", found.Keys.Where(name => !shapes.ContainsKey(name)));
        Complain("of the wrong shape or type", shapes
            .Where(tensor => found.TryGetValue(tensor.Key, out var entry) && !(entry.Shape.SequenceEqual(tensor.Value) && IsFloating(entry)))
            .Select(tensor => $"{tensor.Key} (expected floating [{string.Join(", ", tensor.Value)}], found {found[tensor.Key].DType} {found[tensor.Key].ShapeText})"));
        if (complaints.Count > 0)
        {
            throw new RefusedException($"{path}: does not fit {what}. {string.Join("; ", complaints)}.");
        }

        void Complain(string kind, IEnumerable<string> names)
        {
            var list = names.Order(StringComparer.Ordinal).ToList();
            if (list.Count > 0)
            {
                var more = list.Count > LongestList ? $" and {list.Count - LongestList} more" : "";
                complaints.Add($"{list.Count} {kind}: {string.Join(", ", list.Take(LongestList))}{more}");
            }
        }
    }

    private static bool IsFloating(SafeTensorsEntry entry) => entry.DType is "F32" or "F64" or "F16" or "BF16";
}
