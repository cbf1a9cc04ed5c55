using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.He.Scheme;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Tests.Encrypted;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Processes;

/// <summary>Encrypted fine-tuning with owner, coordinator and stages as processes of their own.</summary>
[Collection(ProcessesCollection.Name)]
public class EncryptedClusterTests(ProgramFolder folder)
{
    private const int Steps = 3;

    /// <summary>Noise moves a trained tensor by far less than this part of its norm …</summary>
    private const double Bound = 1e-2;

    /// <summary>… and by this at most (two undisturbed runs differ by 1.6e-7), which is more than some adapters learn here.</summary>
    private const double Noise = 1e-6;

    private static readonly string[] Task =
    [
        "base_dir=runs", "eval=GLUE_lora", "eval.tasks=[sst2]", "eval.pooler_rank=8", "eval.pooler_width=40",
    ];

    /// <summary>Without it a run goes on with one stage while the node of the other is started anew.</summary>
    private const string WaitsForNodes = "cluster.wait_for_node=120";

    private static readonly string[] Toy = ["he=toy", "he.tokens=8", "he.allow_insecure=true", "he.threads=1", "he.keys=owner/keys", "he.data=shared", "eval.batch_size=16"];

    private static readonly string[] Bootstrapped =
    [
        "he=bootstrap", "he.set=InsecureTestB16d", "he.tokens=8", "he.allow_insecure=true", "he.threads=1", "he.cache=256", "he.keys=owner/bootstrapping", "he.data=shared-bootstrapping", "eval.batch_size=8",
    ];

    [Fact]
    public void An_encrypted_fine_tuning_whose_stage_coordinator_and_owner_are_killed_learns_what_an_undisturbed_one_learns()
    {
        const string name = "encrypted";
        var calibration = Prepare(name, Toy);
        string[] training = [.. Task, .. Toy, $"eval.calibration={calibration}", "eval.checkpoint_every=1", "pipeline=two", "pipeline.cut=[2,1]", $"steps={Steps}"];
        using (var here = folder.Start(["finetune-encrypted", "name=undisturbed-encrypted", $"eval.checkpoint={ModelOf(name)}", .. training]))
        {
            here.ShouldEndWith(0).ShouldSay($"{Steps} steps done");
        }

        using var nodes = new LocalNodes(folder, "cluster-encrypted");
        string[] there = ["finetune-encrypted", $"name={name}", nodes.Seeds, $"he.owner={nodes.FreeAddress}", .. training];
        nodes.Start(0, WaitsForNodes);
        nodes.Start(1);
        nodes.Start(2);
        using (var owner = folder.Start(there))
        {
            var first = Seats(owner.WaitForLine(line => line.StartsWith("attempt 1 from step 0: ", StringComparison.Ordinal), "the first attempt"));
            owner.WaitForStep(1);
            StopWithin(2, owner, nodes);
            nodes.Kill(first[^1]);
            owner.Resume();
            nodes.Start(first[^1]);
            owner.WaitForLine(line => line.StartsWith("attempt 2: goes on after step 1", StringComparison.Ordinal), "an attempt after the loss of a stage");
            owner.WaitForStep(2);
            StopWithin(3, owner, nodes);
            nodes.Kill(0);
            nodes.Start(0, WaitsForNodes);
            WaitUntil(nodes, "the new coordinator's attempt is within step 3", status => status.Contains("  attempt 3, ", StringComparison.Ordinal) && IsWithin(3, status));
            owner.Kill();
            ShouldHaveTwoNodes(owner, attempts: 2);
        }

        WaitUntil(nodes, "a stage waits for the data owner", status => status.Contains("for the data owner at", StringComparison.Ordinal));
        using var again = folder.Start(there);
        again.ShouldEndWith(0).ShouldSay($"{Steps} steps done", "refreshes");
        var stages = RunMetrics.Read(folder.PathOf(name, "finetune-encrypted", "sst2")).Steps.Select(step => step.Stages.Count(stage => stage.Busy > 0));
        Assert.All(stages, count => Assert.Equal(2, count));
        ShouldAgree(Decrypt("undisturbed-encrypted", "here"), Decrypt(name, "there", $"model={ModelOf("../cluster-encrypted/n0/runs/encrypted-encrypted-sst2")}"));
        Assert.DoesNotContain(folder.Files("cluster-encrypted").Concat(folder.Files("shared")), file => Path.GetFileName(file) is "secret.key");
    }

    [Fact]
    public void An_encrypted_fine_tuning_on_a_cluster_needs_an_address_of_its_owner()
    {
        using var refused = folder.Start("finetune-encrypted", "name=none", "cluster=local");

        refused.ShouldEndWith(2).ShouldSay("he.owner is empty");
    }

    [Fact]
    public void A_fine_tuning_by_bootstrapping_goes_on_when_its_owner_and_a_helper_were_killed_and_learns_what_the_twin_learns()
    {
        const string name = "bootstrapped";
        var calibration = Prepare(name, Bootstrapped);
        using var nodes = new LocalNodes(folder, "cluster-bootstrapped");
        string[] there = ["finetune-encrypted", $"name={name}", nodes.Seeds, .. Task, .. Bootstrapped, $"eval.calibration={calibration}", "pipeline=single", $"he.helpers=[\"{nodes.FreeAddress}\"]", "steps=1"];
        nodes.Start(0);
        nodes.Start(1);
        using var helper = folder.Start(["helper", nodes.Seeds, $"listen={nodes.FreeAddress}", "keys=owner/bootstrapping", .. Bootstrapped.Where(word => word.StartsWith("he", StringComparison.Ordinal))]);
        helper.WaitForLine(line => line.StartsWith("helper at ", StringComparison.Ordinal), "a helper");
        using (var owner = folder.Start(there))
        {
            owner.WaitForLine(line => line.Contains("this process only looks on, and may be stopped", StringComparison.Ordinal), "that the owner is needed no longer");
            owner.Kill();
        }

        helper.WaitForLine(line => line.Contains(" step 1: ", StringComparison.Ordinal), "that the helper has bootstrapped");
        helper.Kill();
        // Which rows are trained on, their encryption has decided.
        using var again = folder.Start([.. there, "eval.train_rows=1", "--compare"]);
        var said = again.ShouldEndWith(0).ShouldSay("1 steps done", "hidden: the owner").Output;
        var distance = Regex.Match(said, @"twin +relative distance (\S+) ");
        Assert.True(distance.Success, said);
        Assert.InRange(double.Parse(distance.Groups[1].ValueSpan, CultureInfo.InvariantCulture), 0, Bound);
        NothingTellsTheSecret("owner/bootstrapping", "cluster-bootstrapped", "shared-bootstrapping");
    }

    /// <summary>Looks for the secret key, in every form that it could have, in all that others have written.</summary>
    private void NothingTellsTheSecret(string keys, params string[] others)
    {
        using var owner = OwnerKeys.Open(folder.PathOf("..", keys), allowInsecure: true);
        // Keys of the program are made from the system's randomness, which nobody keeps.
        using var tap = new WireTap(new SecretSearch(SecretForms.Of(owner.Context, owner.Secret, new Seed(SHA256.HashData("none"u8)))));
        Array.ForEach(others, other => tap.LookInto(folder.PathOf("..", other)));
        Assert.Empty(tap.Found);
        Assert.True(tap.Bytes["files"] > owner.Manifest.EvaluationKeys.Bytes, $"{tap.Bytes["files"]} bytes of files");
    }

    /// <summary>Model, ranges, keys and encrypted data.</summary>
    /// <returns>The calibration's file.</returns>
    private string Prepare(string name, string[] he)
    {
        Done(folder.StartSmall(
            "pretrain", name, "arch.hidden=16", "arch.heads=2", "arch.feed_forward=32", "arch.sequence=8", "train.budget.amount=10", "train.evaluate_every=0"));
        Done(folder.Start(
            ["finetune", $"name={name}", "eval.label=clear", "eval.calibrate_every=1", "eval.checkpoint_every=4", "eval.train_rows=64", "eval.batch_size=16", "eval.epochs=1", "data.cache=cache", "impl=dev", .. Task]));
        Done(folder.Start(["export", $"name={name}", "base_dir=runs", "eval.tasks=[sst2]", "eval.train_rows=64", "data.cache=cache"]));
        var calibration = Path.Combine(Directory.GetDirectories(folder.PathOf(name, "finetune", "clear", "sst2-1", "checkpoints")).Single(), "calibration.json");
        foreach (var command in new[] { "keygen", "encrypt" })
        {
            Done(folder.Start([command, $"name={name}", $"eval.calibration={calibration}", .. Task, .. he, .. command == "encrypt" ? ["rows=64"] : Array.Empty<string>()]));
        }

        return calibration;
    }

    private static void Done(ProgramProcess process)
    {
        using (process)
        {
            process.ShouldEndWith(0);
        }
    }

    private string ModelOf(string run) => CheckpointFolder.Latest(folder.PathOf(run))!;

    /// <summary>Numbers of the nodes of an attempt, stage by stage: two of them, so that ciphertexts pass between processes.</summary>
    private static int[] Seats(string attempt)
    {
        int[] nodes = [.. attempt[(attempt.IndexOf(": ", StringComparison.Ordinal) + 2)..].Split(" | ").Select(stage => stage[1] - '0')];
        Assert.True(nodes.Length == 2 && nodes[0] != nodes[1], $"Expected two stages on two nodes: {attempt}");
        return nodes;
    }

    private static void ShouldHaveTwoNodes(ProgramProcess owner, int attempts)
    {
        var seen = owner.Output.Split('\n').Where(line => line.StartsWith("attempt ", StringComparison.Ordinal) && line.Contains(" from step ", StringComparison.Ordinal)).ToList();
        Assert.Equal(attempts, seen.Count);
        Assert.All(seen, line => Seats(line));
    }

    /// <summary>Without its owner a step does not come to its end: so what is killed next is killed in the middle of it, however fast steps are.</summary>
    private void StopWithin(int step, ProgramProcess owner, LocalNodes nodes)
    {
        owner.Pause();
        WaitUntil(nodes, $"a stage is within step {step}", status => IsWithin(step, status));
    }

    private static bool IsWithin(int step, string status) => status.Contains($"run encrypted-encrypted-sst2: step {step}\n", StringComparison.Ordinal)
        && (status.Contains(" computes ", StringComparison.Ordinal) || status.Contains("for the data owner at", StringComparison.Ordinal));

    /// <summary>Asks the cluster again and again.</summary>
    private void WaitUntil(LocalNodes nodes, string what, Predicate<string> isSo)
    {
        string? seen = null;
        for (var asked = 0; asked < 40; asked++)
        {
            using var status = folder.Start("status", nodes.Seeds);
            seen = status.ShouldEndWith(0).Output;
            if (isSo(seen))
            {
                return;
            }
        }

        Assert.Fail($"Never seen that {what}:\n{seen}");
    }

    private string Decrypt(string name, string target, params string[] words)
    {
        var path = folder.PathOf("decrypted", target);
        Done(folder.Start(["decrypt", $"name={name}", $"out={path}", $"eval.checkpoint={ModelOf("encrypted")}", $"eval.calibration={Directory.GetFiles(folder.PathOf("encrypted", "finetune"), "calibration.json", SearchOption.AllDirectories).Single()}", .. Task, .. Toy, .. words]));
        return path;
    }

    private static void ShouldAgree(string expected, string found)
    {
        using var scope = NewDisposeScope();
        var (one, other) = (SafeTensorsHeader.Read(Path.Combine(expected, "adapter.safetensors")), SafeTensorsHeader.Read(Path.Combine(found, "adapter.safetensors")));
        Assert.True(one.Entries.Count > 12, $"{one.Entries.Count} tensors");
        // Biases begin at zero: all of their norm is learned, by some very little.
        var (learned, missed) = (0.0, 0.0);
        foreach (var entry in one.Entries)
        {
            var tensor = SafeTensors.Load(one, entry.Name);
            var (size, error) = (tensor.norm().item<float>(), (SafeTensors.Load(other, entry.Name) - tensor).norm().item<float>());
            Assert.True(error <= (Bound * size) + Noise, $"{entry.Name}: error {error:E2} of {size:E2}");
            if (entry.Name.EndsWith(".bias", StringComparison.Ordinal))
            {
                (learned, missed) = (learned + (size * size), missed + (error * error));
            }
        }

        Assert.True(Math.Sqrt(learned) > 100 * Noise, $"Biases learned {Math.Sqrt(learned):E2}, which noise could hide.");
        Assert.True(Math.Sqrt(missed) <= Bound * Math.Sqrt(learned), $"Biases: error {Math.Sqrt(missed):E2} of {Math.Sqrt(learned):E2}");
    }
}
