using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>Settings of an encrypted stage; travels as JSON inside <c>StageProtocol.Prepare</c>, opaque to the actors. There is nothing secret in it.</summary>
public sealed record EncryptedRecipe
{
    /// <summary>What <see cref="Kind"/> says of these recipes.</summary>
    public const string Ckks = "ckks";

    /// <summary>Name, among the base's objects, of the evaluation keys.</summary>
    public const string KeysObject = "keys";

    private static readonly JsonSerializerOptions Json = new() { Converters = { new JsonStringEnumConverter() } };

    /// <summary>Tells this recipe from others.</summary>
    public string Kind { get; init; } = Ckks;

    public required BertConfig Arch { get; init; }

    /// <summary>What fine-tuning makes of the model; with adapters on queries, keys and values.</summary>
    public required FineTuneShape Shape { get; init; }

    public required AdamWOptions Optim { get; init; }

    /// <summary>Name of the parameter set.</summary>
    public required string Set { get; init; }

    /// <summary>Whether sets without security are taken, for tests.</summary>
    public bool AllowInsecure { get; init; }

    /// <summary>Tokens of a sequence in the packing, a power of two.</summary>
    public required int Tokens { get; init; }

    /// <summary>Examples of a micro-batch, a power of two.</summary>
    public required int Batch { get; init; }

    /// <summary>The polynomials that stand for functions, as <c>calibration.json</c> has them.</summary>
    public required string Calibration { get; init; }

    /// <summary>Threads of one operation.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>MiB for encoded diagonals of a stage.</summary>
    public int CacheMiB { get; init; } = 1024;

    /// <summary>Memory for a stage's evaluation keys; null: as much as they take. Half of that is needed in any case, see <see cref="EvaluationKeys"/>.</summary>
    public long? KeyBytes { get; init; }

    /// <summary>host:port of the data owner; empty: in this process, or none where stages bootstrap.</summary>
    public string Owner { get; init; } = "";

    /// <summary>host:port of each helper, who bootstraps for stages.</summary>
    public IReadOnlyList<string> Helpers { get; init; } = [];

    /// <summary>Who refreshes.</summary>
    public RefreshKind Refresh { get; init; }

    /// <summary>What is bootstrapped twice.</summary>
    public SecondIteration Twice { get; init; }

    /// <summary>For bootstrapping: the largest size of values by the site of their refresh, found by the owner on the twin, as powers of two. Sites without one have the bound that the program declares.</summary>
    public IReadOnlyDictionary<string, double> Bounds { get; init; } = new Dictionary<string, double>();

    /// <summary>For bootstrapping: levels to reach by site, as the plan has placed them; a site that is not named has none. See <see cref="He.Refresh.IRefresher.Reach"/>.</summary>
    public IReadOnlyDictionary<string, int> Reach { get; init; } = new Dictionary<string, int>();

    /// <summary>The evaluation keys that each unit asks for; a stage holds those of its own units. Empty: not known, so all.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<KeyRequest>> Keys { get; init; } = new Dictionary<string, IReadOnlyList<KeyRequest>>();

    /// <summary>Units in order: the owner embeds, so the first is a layer.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Units => [.. UnitFactory.Names(Arch).Skip(1)];

    /// <summary>Name, among the base's objects, of the encrypted weights that a unit begins with.</summary>
    public static string InitialObject(string unit) => $"initial/{unit}";

    /// <summary>Whether a stage's recipe is one of these.</summary>
    public static bool IsOne(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.TryGetProperty(nameof(Kind), out var kind) && kind.ValueEquals(Ckks);
    }

    /// <summary>Why a parameter set cannot be used, null when it can.</summary>
    /// <param name="set">Its name.</param>
    /// <param name="allowInsecure">Whether sets without security are taken.</param>
    public static string? SetProblem(string set, bool allowInsecure) => ParameterSets.All.FirstOrDefault(literal => literal.Name == set) is not { } found
        ? $"he.set={set}: there is no such parameter set; expected one of {string.Join(", ", ParameterSets.All.Select(literal => literal.Name))}."
        : found.AllowInsecure && !allowInsecure
            ? $"he.set={set} is not secure and must not hold real data; use he.set={ParameterSets.L15.Name}, or allow it for a trial with made data by he.allow_insecure=true."
            : null;

    /// <summary>The parameter set.</summary>
    /// <exception cref="RefusedException">There is none of that name, or it is not secure.</exception>
    public CkksParameters Parameters() => SetProblem(Set, AllowInsecure) is { } problem
        ? throw new RefusedException(problem)
        : new CkksParameters(ParameterSets.All.First(literal => literal.Name == Set));

    /// <summary>How refreshes are done.</summary>
    public Refreshing Refreshing(CkksParameters parameters) => new(Refresh, parameters, Bounds, Reach, Twice);

    /// <summary>Where numbers of activations lie.</summary>
    /// <exception cref="RefusedException">Sizes do not fit the parameter set.</exception>
    public Packing Packing(CkksParameters parameters) => new PackingShape(Tokens, Batch, Arch.Heads, Arch.HeadWidth).Of(parameters);

    /// <summary>Refuses what encrypted fine-tuning does not do.</summary>
    /// <exception cref="RefusedException">Names the key, the value and what to do.</exception>
    public EncryptedRecipe Validate()
    {
        Require(Arch.Attention == AttentionKind.GaussianKernel, "arch.attention must be gaussian-kernel: there is no softmax under encryption. Pre-train with arch=encryption-friendly, arch=dev or arch=wiki.");
        Require(Arch.Activation == GateActivation.Relu, "arch.activation must be relu. Pre-train with arch=encryption-friendly, arch=dev or arch=wiki.");
        Require(Shape.Lora is { Query: true, Key: true, Value: true, Dropout: 0 }, "eval.method must be lora with eval.lora.targets=[q,k,v] and eval.lora.dropout=0.");
        Require(Optim.EpsInsideRoot, "eval.optim.eps_inside_root must be true: the polynomial stands for 1/√(v̂ + ε).");
        return this;

        static void Require(bool met, string what)
        {
            if (!met)
            {
                throw new RefusedException($"Encrypted fine-tuning: {what}");
            }
        }
    }

    /// <summary>As JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>From JSON.</summary>
    /// <exception cref="JsonException">Not a recipe.</exception>
    public static EncryptedRecipe Parse(string json) =>
        JsonSerializer.Deserialize<EncryptedRecipe>(json, Json) ?? throw new JsonException("A stage recipe must not be null.");
}
