namespace ActorTrainer.Host.Reports.Glue;

/// <summary>Figures that others published for a model and method.</summary>
/// <param name="Name">What was trained, and how.</param>
/// <param name="Source">Where the figures stand.</param>
/// <param name="Tasks">The target metric by the task's name; MNLI: the mean of its two splits.</param>
/// <param name="Mean">The mean as published; over which tasks: see the source.</param>
public sealed record PublishedRow(string Name, string Source, IReadOnlyDictionary<string, double> Tasks, double Mean);

/// <summary>Results that fine-tuning here is held against.</summary>
public static class PublishedResults
{
    private const string Card = "model card of JonasGeiping/crammed-bert on the Hugging Face hub; its mean 0.807 is over eight tasks, both splits of MNLI counted";
    private const string Paper = "Rho et al., Encryption-Friendly LLM Architecture, ICLR 2025, arXiv 2410.02486; mean over six tasks, median of 5 runs";

    private static readonly PublishedRow FullSoftmax = Of(
        "2 layers, full fine-tuning, softmax", 0.2688, 0.8304, 0.5884, 0.8164, 0.8991, 0.8375, 0.7068);

    private static readonly PublishedRow FullKernel = Of(
        "2 layers, full fine-tuning, Gaussian kernel", 0.2640, 0.8431, 0.6101, 0.8215, 0.8911, 0.8287, 0.7098);

    private static readonly PublishedRow LoraKernel = Of(
        "2 layers, LoRA, Gaussian kernel, plaintext", 0.1883, 0.8258, 0.5776, 0.8107, 0.8567, 0.8040, 0.6772);

    /// <summary>All of them, the largest model first.</summary>
    public static IReadOnlyList<PublishedRow> All { get; } =
    [
        new(
            "crammed BERT, 16 layers, 24 h on one A6000",
            Card,
            new Dictionary<string, double>
            {
                ["cola"] = 0.533,
                ["mrpc"] = 0.889,
                ["rte"] = 0.585,
                ["stsb"] = 0.874,
                ["sst2"] = 0.920,
                ["qnli"] = 0.902,
                ["qqp"] = 0.875,
                ["mnli"] = (0.841 + 0.846) / 2,
            },
            0.807),
        FullSoftmax,
        FullKernel,
        LoraKernel,
        Of("2 layers, LoRA, Gaussian kernel, trained under encryption, evaluated in plaintext", 0.1512, 0.8147, 0.5957, 0.8002, 0.8188, 0.7827, 0.6606),
        Of("2 layers, LoRA, Gaussian kernel, trained and evaluated under encryption", 0.1575, 0.8147, 0.5993, 0.7997, 0.8188, 0.7827, 0.6621),
    ];

    /// <summary>The published row of the same method and kernel in plaintext; null when there is none.</summary>
    public static PublishedRow? Like(string method, string kernel)
    {
        var (full, lora) = (IsOf("full"), IsOf("lora"));
        return kernel switch
        {
            "softmax" when full => FullSoftmax,
            "gaussian-kernel" when full => FullKernel,
            "gaussian-kernel" when lora => LoraKernel,
            _ => null,
        };

        bool IsOf(string word) => method.Split(' ')[0].Equals(word, StringComparison.OrdinalIgnoreCase)
            && !method.Contains("encrypt", StringComparison.OrdinalIgnoreCase);
    }

    private static PublishedRow Of(string name, double cola, double mrpc, double rte, double stsb, double sst2, double qnli, double mean) => new(
        name,
        Paper,
        new Dictionary<string, double> { ["cola"] = cola, ["mrpc"] = mrpc, ["rte"] = rte, ["stsb"] = stsb, ["sst2"] = sst2, ["qnli"] = qnli },
        mean);
}
