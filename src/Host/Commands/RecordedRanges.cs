using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Ranges;

namespace ActorTrainer.Host.Commands;

/// <summary>The ranges that a checkpoint's units carry.</summary>
internal static class RecordedRanges
{
    /// <summary>Unit name → its ranges.</summary>
    /// <param name="manifest">The checkpoint.</param>
    /// <param name="units">Names of its units.</param>
    /// <param name="store">Where its objects are.</param>
    public static IReadOnlyDictionary<string, UnitRanges> Of(CheckpointManifest manifest, IEnumerable<string> units, IObjectStore store) =>
        units.ToDictionary(unit => unit, unit => UnitStateFile.Ranges(store.Verified(manifest.Units[unit])));

    /// <summary>Writes the calibration of recorded inputs beside a model; nothing when there are none.</summary>
    public static void Save(IReadOnlyDictionary<string, UnitRanges> ranges, string folder)
    {
        if (UnitRanges.Statistics(ranges) is { Count: > 0 } statistics)
        {
            Calibration.Of(statistics).Save(Path.Combine(folder, Calibration.FileName));
        }
    }
}
