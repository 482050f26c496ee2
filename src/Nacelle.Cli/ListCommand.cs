using System.Text.Json;
using Nacelle.CommandLine;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary><c>list</c>: the pods and their apps.</summary>
static class ListCommand
{
    static readonly Option Full = new("full", null, "show whole UUIDs, image ids and times");
    static readonly Option NoLegend = new("no-legend", null, "leave the table's head out");

    public static readonly Command Definition = new("list", "[FLAGS]", "list pods", [Full, NoLegend, Formats.Option], Run);

    static int Run(Invocation invocation)
    {
        var format = Formats.Of(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        var all = new List<PodView>();
        foreach (var found in pods.List())
        {
            using (found)
            {
                try
                {
                    all.Add(PodView.Of(found, brief: format == Format.Table));
                }
                catch (KernelException gone) when (gone.Errno == Errno.ENOENT)
                {
                    // Removed while it was looked at.
                }
                catch (SpecException problem)
                {
                    Output.Error($"pod {found.Pod.Uuid}: {problem.Message}");
                }
            }
        }

        all.Sort((a, b) => Nullable.Compare(a.Created, b.Created));
        if (format != Format.Table)
        {
            Output.Line(Formats.Write([.. all.Select(pod => pod.ToJson())], CliJson.For(format).PodJsonArray));
            return 0;
        }

        Output.Table(Rows(all, invocation.Is(Full), legend: !invocation.Is(NoLegend)));
        return 0;
    }

    /// <summary>As rkt has them; where a pod has a name, with one column more.</summary>
    static List<string[]> Rows(IReadOnlyList<PodView> pods, bool full, bool legend)
    {
        bool named = pods.Any(pod => pod.Name is not null);
        var rows = new List<string[]>();
        if (legend)
        {
            rows.Add([.. full ? (string[])["UUID", "APP", "IMAGE NAME", "IMAGE ID", "STATE", "CREATED", "STARTED", "NETWORKS"] : ["UUID", "APP", "IMAGE NAME", "STATE", "CREATED", "STARTED", "NETWORKS"],
                .. named ? (string[])["NAME"] : []]);
        }

        foreach (var pod in pods)
        {
            var uuid = full ? pod.Uuid : pod.Uuid[..8];
            string[] times = full ? [PodView.TimeText(pod.Created), PodView.TimeText(pod.Started)] : [Output.Ago(pod.Created), Output.Ago(pod.Started)];
            string[] name = named ? [pod.Name ?? ""] : [], noName = named ? [""] : [];
            if (pod.Apps.Count == 0)
            {
                rows.Add(full ? [uuid, "-", "-", "-", pod.State, .. times, pod.NetworksText, .. name] : [uuid, "-", "-", pod.State, .. times, pod.NetworksText, .. name]);
            }

            for (int i = 0; i < pod.Apps.Count; i++)
            {
                var app = pod.Apps[i];
                string[] rest = i == 0 ? [pod.State, .. times, pod.NetworksText, .. name] : ["", "", "", "", .. noName];
                string[] row = full ? [i == 0 ? uuid : "", app.Name, app.ImageName, app.ImageId, .. rest] : [i == 0 ? uuid : "", app.Name, app.ImageName, .. rest];
                rows.Add(row);
            }
        }

        return rows;
    }
}
