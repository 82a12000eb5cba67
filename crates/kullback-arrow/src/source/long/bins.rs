//! The bins of two sides: the same labels in the same order, group by group.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, StringArray};
use arrow_cast::cast;
use arrow_schema::DataType;

use super::LongTable;
use crate::error::{Error, Result};
use crate::labels::{Apart, LabelBytes, Union, union};
use crate::types::type_name;

impl LongTable {
    /// Gives the groups of both tables the union of their bins, group by group. A group that one side lacks keeps its bins.
    ///
    /// Returns how many bins both sides have, over all groups that both have; `None` if they have no group in common.
    pub(crate) fn align(p: &mut LongTable, q: &mut LongTable) -> Result<Option<usize>> {
        let (p_keys, q_keys) = (p.group_keys(q)?, q.group_keys(p)?);
        let mut shared = None;
        for (p_place, key) in p_keys.iter().enumerate() {
            if let Some(q_place) = q_keys.iter().position(|other| other == key) {
                *shared.get_or_insert(0) += Self::align_group((p, p_place), (q, q_place))?;
            }
        }
        Ok(shared)
    }

    /// The key of each group as it is compared with the groups of another table.
    fn group_keys(&self, other: &LongTable) -> Result<Vec<Vec<u8>>> {
        let types = |table: &LongTable| -> Vec<DataType> {
            let fields = table.plan.groups.iter().map(|group| table.plan.key_schema.field(*group));
            fields.map(|field| field.data_type().clone()).collect()
        };
        let apart = |position: usize| Error::LabelTypes {
            p: self.plan.origin.name.as_str().into(),
            p_type: type_name(&types(self)[position]).into(),
            q: other.plan.origin.name.as_str().into(),
            q_type: type_name(&types(other)[position]).into(),
            column: self.plan.key_schema.field(self.plan.groups[position]).name().as_str().into(),
        };
        let bytes = LabelBytes::new(&types(self), &types(other)).map_err(apart)?;
        let mut keys = Vec::new();
        for group in &self.groups {
            let first = group.table.slice(0, 1);
            let columns: Vec<ArrayRef> = self.plan.groups.iter().map(|key| first.keys.column(*key).clone()).collect();
            if columns.is_empty() {
                keys.push(Vec::new());
                continue;
            }
            let taken = bytes.each(&columns, |_, key| keys.push(key.unwrap_or_default().to_vec()));
            taken.map_err(|error| self.plan.origin.malformed(error))?;
        }
        Ok(keys)
    }

    /// The labels, as text, that are none of some names.
    pub(crate) fn labels_beside(&self, names: &[String]) -> Result<Vec<String>> {
        let mut more: Vec<String> = Vec::new();
        for group in &self.groups {
            let places = self.places(names, &group.labels)?;
            let texts = cast(&group.labels, &DataType::Utf8).map_err(|error| self.plan.origin.malformed(error))?;
            let beside = places.iter().zip(texts.as_string::<i32>()).filter(|(place, _)| place.is_none());
            for label in beside.filter_map(|(_, label)| label) {
                if !more.iter().any(|other| other == label) {
                    more.push(label.to_owned());
                }
            }
        }
        Ok(more)
    }

    /// Gives every group the bins of some names, which hold all labels.
    pub(crate) fn place(&mut self, names: &[String]) -> Result<()> {
        let labels: ArrayRef = Arc::new(StringArray::from_iter_values(names));
        for group in 0..self.groups.len() {
            let places = self.places(names, &self.groups[group].labels)?;
            let ranks: Vec<usize> = places.into_iter().flatten().collect();
            self.groups[group].spread(&labels, &ranks, &self.plan)?;
        }
        Ok(())
    }

    /// Where each label lies among some names.
    fn places(&self, names: &[String], labels: &ArrayRef) -> Result<Vec<Option<usize>>> {
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(names));
        let united = union([&texts, labels]).map_err(|apart| match apart {
            Apart::Arrow(error) => self.plan.origin.malformed(error),
            Apart::Types | Apart::Twice { .. } => self.plan.origin.malformed("labels that are no names of columns"),
        })?;
        let [of_names, of_labels] = united.places;
        let place = |rank: &usize| of_names.iter().position(|other| other == rank);
        Ok(of_labels.iter().map(place).collect())
    }

    fn align_group((p, p_place): (&mut LongTable, usize), (q, q_place): (&mut LongTable, usize)) -> Result<usize> {
        let (p_labels, q_labels) = (&p.groups[p_place].labels, &q.groups[q_place].labels);
        let (from, to) = (p_labels.data_type(), q_labels.data_type());
        let united = union([p_labels, q_labels]).map_err(|apart| match apart {
            Apart::Arrow(error) => p.plan.origin.malformed(error),
            Apart::Types => Error::LabelTypes {
                p: p.plan.origin.name.as_str().into(),
                p_type: type_name(from).into(),
                q: q.plan.origin.name.as_str().into(),
                q_type: type_name(to).into(),
                column: p.bin_column().into(),
            },
            Apart::Twice { side, first, second } => Error::SameLabel {
                file: [&p, &q][side].plan.origin.name.as_str().into(),
                column: [&p, &q][side].bin_column().into(),
                first: first.into(),
                second: second.into(),
                data_type: type_name([to, from][side]).into(),
            },
        })?;
        let Union { labels, places: [p_ranks, q_ranks] } = united;
        p.groups[p_place].spread(&labels, &p_ranks, &p.plan)?;
        q.groups[q_place].spread(&labels, &q_ranks, &q.plan)?;
        Ok(p_ranks.len() + q_ranks.len() - labels.len())
    }
}
