using System.Text.Json.Serialization;
using ActorTrainer.Actors.Encrypted.Planning;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>What the training steps of an encrypted model ask for, known before any ciphertext exists; kept in a file, since it takes long to find out and follows from public things alone.</summary>
public sealed record EncryptedPlan
{
    /// <summary>The format this build writes and reads.</summary>
    public const int CurrentFormat = 2;

    /// <summary>Version of the format.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>Hash of all that it follows from.</summary>
    public required string Of { get; init; }

    /// <summary>Levels at which the owner encrypts, so that nothing has to be refreshed before its first use.</summary>
    public required EncryptionLevels Levels { get; init; }

    /// <summary>Layers in order, then the head.</summary>
    public required IReadOnlyList<UnitPlan> Units { get; init; }

    /// <summary>Exactly the evaluation keys of all units, each up to the highest level of its use.</summary>
    [JsonIgnore]
    public IReadOnlyList<KeyRequest> Keys => KeysOf(Units);

    /// <summary>All sites of requests to the owner.</summary>
    [JsonIgnore]
    public IReadOnlySet<string> Sites => new HashSet<string>(Units.SelectMany(unit => unit.Sites)) { EncryptedStage.OutputSite("head") };

    /// <summary>Levels to reach, by site.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, int> Reach => Units.SelectMany(unit => unit.Reach).ToDictionary();

    /// <summary>The keys of some units.</summary>
    public static IReadOnlyList<KeyRequest> KeysOf(IEnumerable<UnitPlan> units) =>
        KeyRequest.Union(units.SelectMany(unit => unit.Keys));

    /// <summary>Takes over what a plan of the model says.</summary>
    /// <param name="of">Hash of all that it follows from.</param>
    public static EncryptedPlan From(ModelPlan plan, string of) => new()
    {
        Of = of,
        Levels = plan.Levels,
        Units = [.. plan.Units.Select(unit => new UnitPlan(
            unit.Name, unit.Keys, unit.Sites, [.. unit.Ranges.Select(range => new PlannedRange(range.Site, range.Low, range.High, range.ShiftGroup))],
            [.. unit.Blocks.Select(block => new BlockLevels(block.Name, block.Pass, block.Highest, block.Lowest, block.Refreshes))], unit.Reach))],
    };

    /// <summary>Where refreshed values have to lie, for those sites on whose values functions are evaluated.</summary>
    public IReadOnlyList<SiteRange> Ranges(Packing packing)
    {
        var shifts = new Lazy<TokenShifts>(() => new TokenShifts(packing));
        return [.. Units.SelectMany(unit => unit.Ranges).Select(range => new SiteRange(range.Site, range.Low, range.High)
        {
            ShiftGroup = range.ShiftGroup,
            Slots = range.ShiftGroup is { } group ? shifts.Value.Filled(group) : null,
        })];
    }

    /// <summary>The plan in a file; null where there is none that can be used: it is made again, and takes the place of one that is damaged, of another version or of something else.</summary>
    /// <param name="of">Hash of all that it has to follow from.</param>
    public static EncryptedPlan? Find(string path, string of)
    {
        try
        {
            return ManifestFile.Load<EncryptedPlan>(path, CurrentFormat, plan => plan.Format, "") is { } plan && plan.Of == of ? plan : null;
        }
        catch (RefusedException)
        {
            return null;
        }
    }

    /// <summary>Writes it, whole or not at all.</summary>
    public void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        ManifestFile.Save(path, this);
    }
}

/// <summary>What one unit asks for.</summary>
/// <param name="Name">E.g. <c>layers.0</c>, <c>head</c>.</param>
/// <param name="Keys">Exactly the evaluation keys that it uses, each up to the highest level of its use.</param>
/// <param name="Sites">Sites of its refreshes.</param>
/// <param name="Ranges">Of those sites on whose values functions are evaluated.</param>
/// <param name="Blocks">Levels of its parts, in the order of the program.</param>
/// <param name="Reach">See <see cref="EncryptedRecipe.Reach"/>.</param>
public sealed record UnitPlan(
    string Name, IReadOnlyList<KeyRequest> Keys, IReadOnlyList<string> Sites, IReadOnlyList<PlannedRange> Ranges, IReadOnlyList<BlockLevels> Blocks, IReadOnlyDictionary<string, int> Reach);

/// <summary>A <see cref="SiteRange"/> without the slots that count, which follow from the packing.</summary>
public sealed record PlannedRange(string Site, double Low, double High, int? ShiftGroup);

/// <summary>Levels of a part of a unit in one pass.</summary>
/// <param name="Name">See <see cref="PlannedBlock.Name"/>.</param>
/// <param name="Pass">When it is done.</param>
/// <param name="Highest">The highest level computed at; −1 where nothing is computed.</param>
/// <param name="Lowest">The lowest level that is left; −1 where nothing is computed.</param>
/// <param name="Refreshes">Ciphertexts refreshed each time.</param>
public sealed record BlockLevels(string Name, PlanPass Pass, int Highest, int Lowest, long Refreshes);
